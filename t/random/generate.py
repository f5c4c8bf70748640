"""Random schemas, relationships, rows and transactions.

Statements are objects that tell both their SQL text and the rows they write,
so that run.py can leave some of them out and still know what to expect.
"""
from model import (MANY_TO_MANY, MANY_TO_ONE, ONE_TO_MANY, Relationship, Tie, Undetermined, key)

SHAPES = (ONE_TO_MANY, MANY_TO_ONE, MANY_TO_MANY, 'discriminator', 'partition')


def literal(value):
    return 'NULL' if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def names(columns):
    return '{' + ','.join(columns) + '}'


# ---- schemas

class Table:
    def __init__(self, name):
        self.name = name
        self.columns = []           # (name, type)
        self.not_null = set()
        self.primary = ()
        self.unique = []
        self.unique_deferrable = []
        self.logical = []           # unique without a constraint: statements keep it so
        self.partition_by = None
        self.partitions = []        # (name, parent, column, low, high), high excluded; None: default
        self.attach = set()         # partitions made as tables of another column order, and attached
        self.late = set()           # those attached after the relationships are declared
        self.afterwards = []
        self.fixed = False          # the primary key is the parent's

    def add(self, name, kind='int', not_null=False):
        self.columns.append((name, kind))
        if not_null:
            self.not_null.add(name)
        return name

    def next_name(self, letter):
        return letter + str(sum(1 for c, _ in self.columns if c[0] == letter))

    def column_names(self):
        return [c for c, _ in self.columns]

    def handle(self):
        """The columns that a statement finds rows by."""
        return self.primary or tuple(c for c in self.column_names() if c not in ('v', 'w', 'p'))

    def holds(self, partition, row):
        """Whether a row belongs to a partition."""
        while partition != self.name:
            _, parent, column, low, high = next(p for p in self.partitions if p[0] == partition)
            if low is None or row[column] is None or not low <= row[column] < high:
                return False
            partition = parent
        return True

    def create(self):
        self.afterwards = []
        columns = [f'{c} {kind}' + (' NOT NULL' if c in self.not_null else '') for c, kind in self.columns]
        constraints = [f'PRIMARY KEY ({", ".join(self.primary)})'] if self.primary else []
        constraints += [f'UNIQUE ({", ".join(u)})' for u in self.unique if u != self.primary]
        constraints += [f'UNIQUE ({", ".join(u)}) DEFERRABLE' for u in self.unique_deferrable]
        text = f'CREATE TABLE {self.name} (' + ', '.join(columns + constraints) + ')'
        if self.partition_by:
            text += f' PARTITION BY {self.partition_by}'
        yield text + ';'
        for name, parent, column, low, high in self.partitions:
            below = [p for p in self.partitions if p[1] == name]
            by = f' PARTITION BY RANGE ({below[0][2]})' if below else ''
            bounds = 'DEFAULT' if low is None else f'FOR VALUES FROM ({low}) TO ({high})'
            if name in self.attach:
                yield f'CREATE TABLE {name} (gone int, ' + ', '.join(columns[::-1]) + f'){by};'
                yield f'ALTER TABLE {name} DROP COLUMN gone;'
                attach = f'ALTER TABLE {parent} ATTACH PARTITION {name} {bounds};'
                if name in self.late:
                    self.afterwards.append(attach)
                else:
                    yield attach
            else:
                yield f'CREATE TABLE {name} PARTITION OF {parent} {bounds}{by};'


class ForeignKey(Tie):
    def __init__(self, name, tie, on_delete='NO ACTION', on_update='NO ACTION', deferrable=False, deferred=False,
                 set_null_columns=None):
        super().__init__(tie.child, tie.columns, tie.parent, tie.keys)
        self.name, self.on_delete, self.on_update = name, on_delete, on_update
        self.deferrable, self.deferred, self.set_null_columns = deferrable, deferred, set_null_columns

    def create(self):
        text = (f'ALTER TABLE {self.child} ADD CONSTRAINT {self.name} FOREIGN KEY ({", ".join(self.columns)}) '
                f'REFERENCES {self.parent} ({", ".join(self.keys)})')
        if self.on_delete != 'NO ACTION':
            text += f' ON DELETE {self.on_delete}'
            if self.set_null_columns:
                text += f' ({", ".join(self.set_null_columns)})'
        if self.on_update != 'NO ACTION':
            text += f' ON UPDATE {self.on_update}'
        if self.deferrable:
            text += ' DEFERRABLE' + (' INITIALLY DEFERRED' if self.deferred else '')
        return text + ';'


def declaration(r, short=False):
    """The call that declares a relationship.  short: the columns are left to
    be found from the one foreign key there is."""
    given = [literal(r.source), literal(r.target), literal(', '.join(r.words)), f'name => {literal(r.name)}']

    def give(name, value):
        given.append(f'{name} => {literal(value)}')

    if r.direction == MANY_TO_MANY:
        to_source, to_target = r.ties
        give('secondary', to_source.child)
        if not short:
            give('source_columns', names(to_source.keys))
            give('target_columns', names(to_target.keys))
            give('secondary_source_columns', names(to_source.columns))
            give('secondary_target_columns', names(to_target.columns))
    else:
        tie = r.ties[0]
        source, target = (tie.keys, tie.columns) if r.direction == ONE_TO_MANY else (tie.columns, tie.keys)
        if not short:
            give('source_columns', names(source))
            give('target_columns', names(target))
            give('direction', r.direction)
    if r.ties[0].discriminator:
        give('discriminator', '{' + ', '.join(f'"{c}": "{v}"' for c, v in r.ties[0].discriminator.items()) + '}')
    if r.propagate:
        give('propagate', '{' + ', '.join(f'"{c}": "{v}"' for c, v in r.propagate.items()) + '}')
    if r.nullify_columns:
        give('nullify_columns', names(r.nullify_columns))
    for option, default in (('single_parent', False), ('deferred', True), ('nullify', True), ('follow_keys', True)):
        if getattr(r, option) != default:
            given.append(f'{option} => {str(not default).lower()}')
    if r.orphan_when != 'any':
        give('orphan_when', r.orphan_when)
    return f'SELECT cascade.add_relationship({", ".join(given)});'


class Schema:
    """shapes: what is to occur; twin: only what native foreign keys can do."""
    def __init__(self, rng, shapes, twin):
        self.rng, self.shapes, self.twin = rng, shapes, twin
        self.tables, self.ties, self.foreign_keys, self.relationships = {}, [], [], []
        self.poly = []              # lists of ties that share columns of one child
        self.native = []            # twin: the foreign keys of the other side
        self.short = set()          # relationships declared without columns
        self.indexes = []
        self.declare_first = rng.random() < 0.2     # before the rows are there
        self.make_tables()
        self.make_ties()
        self.make_relationships()
        self.make_foreign_keys()

    def chance(self, p):
        return self.rng.random() < p

    # -- tables

    def make_tables(self):
        rng = self.rng
        for i in range(rng.randint(1 if self.chance(0.1) else 2, 6)):
            table = self.tables[f't{i}'] = Table(f't{i}')
            plain = [t for t in self.tables.values() if t.primary == ('id',) and t is not table]
            kind = rng.choices(('plain', 'pair', 'sub', 'link'), (10, 3, 2 if plain else 0, 0))[0]
            if i >= 2 and MANY_TO_MANY in self.shapes and self.chance(0.45):
                kind = 'link'
            if kind == 'pair':
                table.add('tn', 'int', True)
            if kind in ('plain', 'pair', 'sub'):
                table.add('id', rng.choice(('int', 'int', 'bigint')), True)
                table.primary = ('tn', 'id') if kind == 'pair' else ('id',)
            if kind == 'sub':
                base = rng.choice(plain)
                table.fixed = True
                self.ties.append(Tie(table.name, ('id',), base.name, ('id',)))
            if kind == 'link':
                ends = [rng.choice(list(self.tables.values())) for _ in range(2)]
                if ends[0] is table or ends[1] is table or any(not e.primary or len(e.primary) > 2 for e in ends):
                    ends = [self.tables['t0']] * 2
                columns = [self.add_tie(table, e, self.keys_of(e)[0], True, share=False).columns for e in ends]
                if self.chance(0.6):
                    table.primary = columns[0] + columns[1]
                elif self.chance(0.5):
                    table.add('id', 'int', True)
                    table.primary = ('id',)
            table.add('v')
            if self.chance(0.5):
                table.add('w')
            table.logical = [table.primary] if table.primary else []
            if 'partition' in self.shapes and self.chance(0.25):
                self.partition(table)
            elif kind == 'plain' and self.chance(0.2):
                table.add('code')
                (table.unique_deferrable if self.chance(0.4) else table.unique).append(('code',))
            if table.primary:
                table.unique.append(table.primary)
                table.not_null.update(table.primary)

    def partition(self, table):
        rng = self.rng
        pieces = [table.name + '_a', table.name + '_b']
        if table.primary and self.chance(0.5):
            # by a column of the key
            column = table.primary[0]
            bounds = [(1, 2), (2, 3)] if column == 'tn' else [(1, 4), (4, 7)]
        else:
            # by a column that is nobody's business
            column, bounds = table.add('p', 'int', True), [(0, 1), (1, 2)]
            if table.primary:
                table.primary += ('p',)
        table.partition_by = f'RANGE ({column})'
        table.partitions = [(n, table.name, column, *b) for n, b in zip(pieces, bounds)]
        table.partitions.append((table.name + '_c', table.name, column, None, None))
        if self.chance(0.3) and table.primary:
            last = table.primary[-2 if table.primary[-1] == 'p' and len(table.primary) > 1 else -1]
            table.partitions.append((table.name + '_aa', pieces[0], last, 1, 4))
            table.partitions.append((table.name + '_ab', pieces[0], last, None, None))
        table.attach = {p[0] for p in table.partitions if self.chance(0.3)}
        if self.declare_first:
            table.late = {p[0] for p in table.partitions if p[0] in table.attach and self.chance(0.7)
                          and not any(q[1] == p[0] for q in table.partitions)}

    def keys_of(self, table):
        """Keys that a tie may lead to."""
        keys = [tuple(c for c in table.primary if c != 'p' or len(table.primary) == 1)] if table.primary else []
        if table.logical and table.primary[-1:] == ('p',) and self.chance(0.3):
            keys = [table.primary]      # the whole of it
        return keys + table.unique_deferrable + [u for u in table.unique if u == ('code',)]

    # -- ties

    def add_tie(self, child, parent, keys, not_null=False, share=True, unique=False):
        columns = []
        for k in keys:
            if k == 'tn' and share and child.primary[:1] == ('tn',) and self.chance(0.5):
                columns.append('tn')
            else:
                one = not_null or len(keys) > 1 and self.chance(0.15)
                columns.append(child.add(child.next_name('f'), self.rng.choice(('int', 'int', 'bigint')), one))
        tie = Tie(child.name, tuple(columns), parent.name, tuple(keys))
        self.ties.append(tie)
        if unique and not child.partition_by:
            child.unique.append(tie.columns)
        return tie

    def make_ties(self):
        rng = self.rng
        every = list(self.tables.values())
        for _ in range(rng.randint(1, len(every) + 1)):
            child, parent = rng.choice(every), rng.choice(every)
            keys = self.keys_of(parent)
            if not keys:
                continue
            self.add_tie(child, parent, rng.choice(keys), self.chance(0.2), True, self.chance(0.15))
        for _ in range(rng.choice((0, 1, 1, 2)) if 'discriminator' in self.shapes else 0):
            child = rng.choice(every)
            parents = rng.sample([t for t in every if ('id',) in self.keys_of(t)] or [None], 1)
            parents += [t for t in every if t not in parents and self.chance(0.5) and ('id',) in self.keys_of(t)]
            if parents[0] is None:
                continue
            link = MANY_TO_MANY in self.shapes and any(t.child == child.name for t in self.ties)
            column = child.add(child.next_name('f'), 'int',
                               not_null=link and not child.primary or self.chance(0.2))
            kind = child.add(child.next_name('k'), 'text', self.chance(0.3))
            self.poly.append([Tie(child.name, (column,), t.name, ('id',), {kind: v})
                              for t, v in zip(parents, 'abcdef')])

    # -- relationships

    def words(self):
        words = [w for w, p in (('save-update', 0.7), ('delete', 0.5), ('delete-orphan', 0.45), ('merge', 0.3))
                 if self.chance(p)]
        if 'delete' in words and 'save-update' in words and self.chance(0.4):
            words = ['all'] + (['delete-orphan'] if 'delete-orphan' in words else [])
        return words

    def relate(self, direction, ties, **given):
        source, target = {ONE_TO_MANY: lambda: (ties[0].parent, ties[0].child),
                          MANY_TO_ONE: lambda: (ties[0].child, ties[0].parent),
                          MANY_TO_MANY: lambda: (ties[0].parent, ties[1].parent)}[direction]()
        rng, options = self.rng, dict(given)
        words = options.pop('words', None)
        if words is None:
            words = self.words()
        options.setdefault('deferred', self.chance(0.65))
        options.setdefault('orphan_when', 'all' if self.chance(0.3) else 'any')
        options.setdefault('nullify', self.chance(0.85))
        options.setdefault('follow_keys', self.chance(0.9))
        if direction == ONE_TO_MANY and not self.twin:
            own, other = self.tables[source], self.tables[target]
            if self.chance(0.3):
                options['propagate'] = {c: rng.choice([x for x in ('v', 'w') if x in other.column_names()])
                                        for c in ('v', 'w') if c in own.column_names() and self.chance(0.7)}
                if len(set(options['propagate'].values())) < len(options['propagate']):
                    options['propagate'] = {'v': 'v'}
        if direction == ONE_TO_MANY and len(ties[0].columns) > 1 and self.chance(0.4):
            options['nullify_columns'] = ties[0].columns[-1:]
        if direction != ONE_TO_MANY and not ties[0].discriminator and self.chance(0.12):
            options['single_parent'] = True
        self.relationships.append(
            Relationship(f'r{len(self.relationships)}', source, target, direction, ties, tuple(words), **options))

    def make_relationships(self):
        rng = self.rng
        if self.twin:
            for tie in self.ties:
                if self.chance(0.85):
                    words = rng.choice((['save-update', 'delete'], ['all'], ['delete'], ['save-update'], []))
                    self.relate(ONE_TO_MANY, [tie], words=words, deferred=True, orphan_when='any')
            return
        for tie in self.ties:
            if ONE_TO_MANY in self.shapes and self.chance(0.55):
                self.relate(ONE_TO_MANY, [tie])
                if self.chance(0.12):
                    self.relate(ONE_TO_MANY, [tie])
            if MANY_TO_ONE in self.shapes and self.chance(0.4):
                self.relate(MANY_TO_ONE, [tie])
        for group in self.poly:
            # Relationships that share a key have the same delete-orphan, orphan_when and
            # deferred: whose orphan a row is that loses the key would be anybody's guess.
            orphan = ['delete-orphan'] if self.chance(0.5) else []
            same = {'deferred': self.chance(0.65), 'orphan_when': 'all' if self.chance(0.3) else 'any'}
            for tie in group:
                plain = [w for w in ('save-update', 'delete') if self.chance(0.6)]
                if ONE_TO_MANY in self.shapes and self.chance(0.7):
                    self.relate(ONE_TO_MANY, [tie], words=plain + orphan, **same)
                if MANY_TO_ONE in self.shapes and self.chance(0.35):
                    self.relate(MANY_TO_ONE, [tie])
        if MANY_TO_MANY in self.shapes:
            for i, one in enumerate(self.ties):
                for other in self.ties[i + 1:]:
                    if one.child == other.child and set(one.columns).isdisjoint(other.columns) \
                            and self.chance(0.75 if not self.tables[one.child].fixed else 0.2):
                        self.many_to_many(one, other)
            for group in self.poly:
                for other in self.ties:
                    if other.child == group[0].child and self.chance(0.7):
                        for tie in group:
                            self.many_to_many(other, tie)
        rng.shuffle(self.relationships)
        del self.relationships[9:]

    def many_to_many(self, one, other):
        discriminator = one.discriminator or other.discriminator
        ties = [Tie(t.child, t.columns, t.parent, t.keys, discriminator) for t in (one, other)]
        # a link without both its ends is no link to anybody, or to one of them: not generated
        self.tables[one.child].not_null.update(one.columns + other.columns)
        if self.chance(0.5):
            ties.reverse()
        self.relate(MANY_TO_MANY, ties)
        if self.chance(0.3):
            self.relate(MANY_TO_MANY, ties[::-1])

    # -- foreign keys

    def make_foreign_keys(self):
        rng = self.rng
        for tie in self.ties:
            parent = self.tables[tie.parent]
            if tie.keys not in parent.unique or not (self.twin or self.chance(0.5)):
                continue
            deferrable = self.chance(0.4)
            fk = ForeignKey(f'k{len(self.foreign_keys)}', tie, deferrable=deferrable,
                            deferred=deferrable and self.chance(0.6))
            if self.twin:
                self.twin_foreign_key(fk)
            elif self.chance(0.35):
                fk.on_delete = rng.choice(('NO ACTION', 'CASCADE', 'SET NULL'))
                fk.on_update = rng.choice(('NO ACTION', 'CASCADE', 'SET NULL'))
            self.foreign_keys.append(fk)
        if self.twin:
            # what native foreign keys cannot do is not compared
            tied = [(fk.child, fk.columns, fk.parent, fk.keys) for fk in self.foreign_keys]
            self.relationships = [r for r in self.relationships
                                  if (r.ties[0].child, r.ties[0].columns, r.ties[0].parent, r.ties[0].keys) in tied]
        for r in self.relationships:
            if r.direction != MANY_TO_MANY:
                ends = {r.source, r.target}
                found = [fk for fk in self.foreign_keys if {fk.child, fk.parent} == ends]
                if len(ends) == 2 and len(found) == 1 and not r.ties[0].discriminator and self.chance(0.5) \
                        and (found[0].child, found[0].columns, found[0].keys) \
                        == (r.ties[0].child, r.ties[0].columns, r.ties[0].keys):
                    self.short.add(r.name)
            elif r.source != r.target and not r.ties[0].discriminator and self.chance(0.5):
                found = [[fk for fk in self.foreign_keys if (fk.child, fk.parent) == (t.child, t.parent)]
                         for t in r.ties]
                if all(len(f) == 1 and (f[0].columns, f[0].keys) == (t.columns, t.keys)
                       for f, t in zip(found, r.ties)):
                    self.short.add(r.name)
        for tie in self.ties:
            if self.chance(0.4):
                self.indexes.append(f'CREATE INDEX ON {tie.child} ({", ".join(tie.columns)});')

    def twin_foreign_key(self, fk):
        """The native key that does what the relationship does."""
        native = ForeignKey(fk.name, fk, deferrable=fk.deferrable, deferred=fk.deferred)
        for r in self.relationships:
            tie = r.ties[0]
            if (tie.child, tie.columns, tie.parent, tie.keys) == (fk.child, fk.columns, fk.parent, fk.keys):
                if r.delete:
                    native.on_delete = 'CASCADE'
                elif r.nullify:
                    native.on_delete, native.set_null_columns = 'SET NULL', r.nullify_columns
                native.on_update = 'CASCADE' if r.follows else 'NO ACTION'
                if self.chance(0.3):
                    fk.on_delete, fk.on_update = native.on_delete, native.on_update
                    fk.set_null_columns = native.set_null_columns
        self.native.append(native)

    # -- SQL

    def create(self):
        return [line for table in self.tables.values() for line in table.create()]

    def constrain(self, native=False):
        return [fk.create() for fk in (self.native if native else self.foreign_keys)] + self.indexes

    def declare(self):
        return [declaration(r, r.name in self.short) for r in self.relationships]

    def attach(self):
        return [line for table in self.tables.values() for line in table.afterwards]

    # -- rows

    def fill(self, state):
        """The rows to begin with: no constraint is violated."""
        rng = self.rng
        taken = {(fk.child, fk.columns) for fk in self.foreign_keys}
        single = {(r.ties[-1].child, r.ties[-1].columns) for r in self.relationships if r.single_parent}
        rows = {}
        for table in self.tables.values():          # keys first
            rows[table.name] = []
            base = [t for t in self.ties if t.child == table.name and t.columns == ('id',)]
            ids = [r['id'] for r in rows[base[0].parent]] if base else list(range(1, 9))
            rng.shuffle(ids)
            for i in ids[:rng.randint(2, 7)]:
                row = {c: None for c in table.column_names()}
                if 'id' in row:
                    row['id'] = i
                if 'tn' in row:
                    row['tn'] = rng.randint(1, 3)
                    row['id'] = rng.randint(1, 5)
                if 'p' in row:
                    row['p'] = rng.randint(0, 2)
                if 'code' in row:
                    row['code'] = i if self.chance(0.8) else None
                row['v'] = rng.choice((None, 1, 1, 2))
                if 'w' in row:
                    row['w'] = rng.choice((None, 1, 1, 2))
                rows[table.name].append(row)
        seen = {}
        for table in self.tables.values():
            for row in list(rows[table.name]):
                for tie in self.ties:
                    if tie.child != table.name or tie.columns == ('id',):
                        continue
                    fresh = [c for c in tie.columns if c != 'tn']
                    choice = [p for p in rows[tie.parent]
                              if key(p, tie.keys) and ('tn' not in tie.columns or p['tn'] == row['tn'])]
                    one = rng.choice(choice) if choice and self.chance(0.85) else None
                    if one and (table.name, tie.columns) in single \
                            and key(one, tie.keys) in seen.setdefault((table.name, tie.columns, 's'), set()):
                        one = None
                    if one is None and (table.not_null & set(fresh)) and choice \
                            and (table.name, tie.columns) not in single:
                        one = rng.choice(choice)
                    for c, k in zip(tie.columns, tie.keys):
                        if c in fresh:
                            row[c] = one[k] if one else None
                    if one:
                        seen.setdefault((table.name, tie.columns, 's'), set()).add(key(one, tie.keys))
                    elif (table.name, tie.columns) not in taken and self.chance(0.2) \
                            and (table.name, tie.columns) not in single:
                        for c in fresh:
                            row[c] = 11        # there is no such parent
                for group in self.poly:
                    if group[0].child == table.name:
                        tie = rng.choice(group)
                        (column,), (kind,) = tie.columns, tie.discriminator
                        parents = rows[tie.parent]
                        row[column] = rng.choice(parents)['id'] if parents and self.chance(0.85) else None
                        row[kind] = tie.discriminator[kind] if self.chance(0.9) else 'x'
        # A row that breaks a constraint is left out, until none does.
        while True:
            before = sum(map(len, rows.values()))
            for table in self.tables.values():
                good, used = [], set()
                for row in rows[table.name]:
                    unique = {(u, key(row, u)) for u in table.unique + table.unique_deferrable + table.logical
                              if key(row, u)}
                    if unique & used or any(row[c] is None for c in table.not_null):
                        continue
                    if any(fk.child == table.name and fk.key(row)
                           and fk.key(row) not in [key(p, fk.keys) for p in rows[fk.parent]]
                           for fk in self.foreign_keys):
                        continue
                    used |= unique
                    good.append(row)
                rows[table.name] = good
            for r in self.relationships:        # as statements do, see run.py
                if r.single_parent:
                    tie, used = r.ties[-1], set()
                    for row in list(rows[tie.child]):
                        if tie.key(row) in used:
                            rows[tie.child].remove(row)
                        elif tie.key(row):
                            used.add(tie.key(row))
            if sum(map(len, rows.values())) == before:
                break
        for name in rows:
            for row in rows[name]:
                state.next_rid += 1
                state.rows[name][state.next_rid] = row


# ---- statements

class Where:
    """The rows with these values; columns None: all of them."""
    def __init__(self, columns, values):
        self.columns, self.values = columns, values

    def sql(self):
        if self.columns is None:
            return ''
        if len(self.columns) == 1:
            if self.values == [(None,)]:
                return f' WHERE {self.columns[0]} IS NULL'
            return f' WHERE {self.columns[0]} IN ({", ".join(literal(v) for (v,) in self.values)})'
        rows = ', '.join('(' + ', '.join(map(literal, v)) + ')' for v in self.values)
        return f' WHERE ({", ".join(self.columns)}) IN ({rows})'

    def rows(self, table, via, rows):
        for rid, row in rows.items():
            if via != table.name and not table.holds(via, row):
                continue
            if self.columns is None or self.values == [(None,)] and row[self.columns[0]] is None \
                    or key(row, self.columns) in self.values and key(row, self.columns):
                yield rid, row


def assigned(row, sets):
    """sets: column -> ('=', value), ('+', number) or ('swap', {old: new})"""
    new = dict(row)
    for column, (how, value) in sets.items():
        if how == '=':
            new[column] = value
        elif how == '+':
            new[column] = None if row[column] is None else row[column] + value
        else:
            new[column] = value.get(row[column], row[column])
    return new


def assignments(sets, prefix=''):
    def text(column, how, value):
        if how == '=':
            return literal(value)
        if how == '+':
            return f'{prefix}{column} + {value}'
        whens = ' '.join(f'WHEN {literal(a)} THEN {literal(b)}' for a, b in value.items())
        return f'CASE {prefix}{column} {whens} ELSE {prefix}{column} END'
    return ', '.join(f'{c} = {text(c, *s)}' for c, s in sets.items())


class Statement:
    ordered = False         # whether what goes goes before what comes

    def __init__(self, table, via=None):
        self.table, self.via = table, via or table.name

    def stay(self, new):
        if self.via != self.table.name and not self.table.holds(self.via, new):
            raise Undetermined('no row of this partition')
        return new


class Delete(Statement):
    def __init__(self, table, where, via=None):
        super().__init__(table, via)
        self.where = where

    def sql(self):
        return f'DELETE FROM {self.via}{self.where.sql()}'

    def writes(self, rows):
        return [(self.table.name, rid, None) for rid, _ in self.where.rows(self.table, self.via, rows[self.table.name])]


class Update(Statement):
    def __init__(self, table, where, sets, via=None):
        super().__init__(table, via)
        self.where, self.sets = where, sets

    def sql(self):
        return f'UPDATE {self.via} SET {assignments(self.sets)}{self.where.sql()}'

    def writes(self, rows):
        return [(self.table.name, rid, self.stay(assigned(row, self.sets)))
                for rid, row in self.where.rows(self.table, self.via, rows[self.table.name])]


class Insert(Statement):
    """sets: ON CONFLICT with the primary key DO UPDATE."""
    def __init__(self, table, new, sets=None, via=None):
        super().__init__(table, via)
        self.new, self.sets = new, sets

    def sql(self):
        values = ', '.join('(' + ', '.join(literal(r[c]) for c in self.table.column_names()) + ')' for r in self.new)
        text = f'INSERT INTO {self.via} VALUES {values}'
        if self.via != self.table.name:
            text = f'INSERT INTO {self.via} ({", ".join(self.table.column_names())}) VALUES {values}'
        if self.sets:
            text += (f' ON CONFLICT ({", ".join(self.table.primary)}) DO UPDATE SET '
                     + assignments(self.sets, self.via + '.'))
        return text

    def writes(self, rows):
        result = []
        for new in self.new:
            self.stay(new)
            met = [rid for rid, row in rows[self.table.name].items() if self.sets
                   and key(row, self.table.primary) == key(new, self.table.primary)]
            if met and any(new[c] is None for c in self.table.not_null):
                raise Undetermined('not generated: a NULL that is refused before the conflict is seen')
            result += [(self.table.name, rid, self.stay(assigned(rows[self.table.name][rid], self.sets)))
                       for rid in met] or [(self.table.name, None, new)]
        return result


class Merge(Statement):
    """lines: (key, what, new row), what: 'delete', 'update' or 'insert'."""
    def __init__(self, table, lines, sets, via=None):
        super().__init__(table, via)
        self.lines, self.sets = lines, sets

    def sql(self):
        columns = self.table.column_names()
        kinds = dict(self.table.columns)
        lines = ', '.join('(' + ', '.join(
            [literal(what)] + [f'{literal(new[c])}::{kinds[c]}' for c in columns]) + ')' for _, what, new in self.lines)
        on = ' AND '.join(f'm.{c} = s.{c}' for c in self.table.primary)
        text = f'MERGE INTO {self.via} m USING (VALUES {lines}) AS s (what, {", ".join(columns)}) ON {on}'
        text += " WHEN MATCHED AND what = 'delete' THEN DELETE"
        if self.sets:
            text += f" WHEN MATCHED AND what = 'update' THEN UPDATE SET {assignments(self.sets, 'm.')}"
        return text + (f" WHEN NOT MATCHED AND what = 'insert' THEN INSERT ({', '.join(columns)}) "
                       f"VALUES ({', '.join('s.' + c for c in columns)})")

    def writes(self, rows):
        result = []
        for values, what, new in self.lines:
            met = [(rid, row) for rid, row in rows[self.table.name].items()
                   if key(row, self.table.primary) == values and (
                       self.via == self.table.name or self.table.holds(self.via, row))]
            if met and what == 'delete':
                result += [(self.table.name, rid, None) for rid, _ in met]
            elif met and what == 'update' and self.sets:
                result += [(self.table.name, rid, self.stay(assigned(row, self.sets))) for rid, row in met]
            elif not met and what == 'insert':
                result.append((self.table.name, None, self.stay(new)))
        return result


class Reinsert(Statement):
    """Rows deleted and inserted again by one statement."""
    ordered = True

    def __init__(self, table, where, again, sets):
        super().__init__(table)
        self.where, self.again, self.sets = where, again, sets

    def sql(self):
        columns = ', '.join(literal(self.sets[c][1]) if c in self.sets else c for c in self.table.column_names())
        return (f'WITH gone AS (DELETE FROM {self.table.name}{self.where.sql()} RETURNING *) '
                f'INSERT INTO {self.table.name} SELECT {columns} FROM gone{self.again.sql()}')

    def writes(self, rows):
        gone = dict(self.where.rows(self.table, self.via, rows[self.table.name]))
        back = [row for _, row in self.again.rows(self.table, self.via, gone)]
        return [(self.table.name, rid, None) for rid in gone] + [
            (self.table.name, None, assigned(row, self.sets)) for row in back]


class With:
    """Several statements in one."""
    ordered = False

    def __init__(self, parts):
        self.parts = parts

    def sql(self):
        first = ', '.join(f'w{i} AS ({p.sql()})' for i, p in enumerate(self.parts[:-1]))
        return (f'WITH {first} ' if first else '') + self.parts[-1].sql()

    def writes(self, rows):
        result = [w for p in self.parts for w in p.writes(rows)]
        touched = [(t, rid) for t, rid, _ in result if rid is not None]
        if len(touched) > len(set(touched)):
            raise Undetermined('one row written twice by one statement')
        return result


class Writer:
    """Makes up statements that fit the rows there are."""
    def __init__(self, rng, schema):
        self.rng, self.schema = rng, schema
        self.fresh = 20

    def chance(self, p):
        return self.rng.random() < p

    def some(self, rows, table, most=3):
        """A condition that some rows of the table meet, and those rows."""
        rng = self.rng
        every = list(rows[table.name].values())
        if not every or self.chance(0.03):
            return Where(None, None), every
        columns = table.handle()
        ties = [t.columns for t in self.schema.ties if t.child == table.name]
        if ties and self.chance(0.3):
            columns = rng.choice(ties)
        if any(all(row[c] is None for c in columns) for row in every) and len(columns) == 1 and self.chance(0.2):
            return Where(columns, [(None,)]), [r for r in every if r[columns[0]] is None]
        usable = [r for r in every if key(r, columns)]
        if not usable:
            columns = tuple(c for c in table.column_names() if c in table.not_null)
            usable = every if columns else []
        if not usable:
            return Where(None, None), every
        chosen = rng.sample(usable, min(len(usable), rng.randint(1, most)))
        values = sorted({key(r, columns) for r in chosen})
        return Where(columns, values), [r for r in every if key(r, columns) in values]

    def place(self, table, rows):
        """The table, or a partition that all these rows are in."""
        fits = [p[0] for p in table.partitions if p[3] is not None and rows and all(table.holds(p[0], r) for r in rows)]
        return self.rng.choice(fits) if fits and self.chance(0.4) else table.name

    def parent_key(self, rows, tie, row, reach=True):
        """Values for the columns of a tie: mostly those of a parent."""
        rng = self.rng
        parents = [k for k in (key(p, tie.keys) for p in rows[tie.parent].values()) if k]
        if not reach or not parents or self.chance(0.08):
            return {c: rng.choice((None, rng.randint(1, 12))) for c in tie.columns}
        if 'tn' in tie.columns and row is not None:
            parents = [k for k in parents if k[tie.columns.index('tn')] == row.get('tn')] or parents
        return dict(zip(tie.columns, rng.choice(parents)))

    def new_row(self, rows, table, near=None):
        rng = self.rng
        row = {c: None for c in table.column_names()}
        row['v'] = rng.choice((None, 1, 2))
        if 'w' in row:
            row['w'] = rng.choice((None, 1, 2))
        if 'p' in row:
            row['p'] = rng.randint(0, 2)
        if 'tn' in row:
            row['tn'] = rng.randint(1, 3)
        if 'id' in row:
            row['id'] = rng.randint(1, 12)
        if 'code' in row:
            row['code'] = rng.choice((None, rng.randint(1, 12)))
        for tie in self.schema.ties:
            if tie.child == table.name and (tie.columns == ('id',) or self.chance(0.85)
                                            or table.not_null & set(tie.columns)):
                row.update({c: v for c, v in self.parent_key(rows, tie, row).items() if c != 'tn'})
        for group in self.schema.poly:
            if group[0].child == table.name:
                row.update(self.poly_key(rows, group))
        return row

    def poly_key(self, rows, group):
        rng = self.rng
        tie = rng.choice(group)
        (column,), (kind,) = tie.columns, tie.discriminator
        parents = [r['id'] for r in rows[tie.parent].values()]
        return {column: rng.choice(parents) if parents and self.chance(0.9) else rng.choice((None, 11)),
                kind: tie.discriminator[kind] if self.chance(0.93) else rng.choice((None, 'x'))}

    def sets(self, rows, table, chosen):
        """What an UPDATE may set."""
        rng, schema = self.rng, self.schema
        ties = [t for t in schema.ties if t.child == table.name and t.columns != ('id',)]
        groups = [g for g in schema.poly if g[0].child == table.name]
        kinds = ['data'] + ['tie'] * 4 * bool(ties) + ['poly'] * 4 * bool(groups) + ['key'] * 2
        kinds += ['code'] * 2 * ('code' in table.column_names()) + ['p'] * 2 * ('p' in table.column_names())
        sets = {}
        for kind in rng.sample(kinds, 2 if self.chance(0.2) and len(kinds) > 1 else 1):
            if kind == 'data':
                column = rng.choice([c for c in ('v', 'w') if c in table.column_names()])
                sets[column] = rng.choice((('=', rng.choice((None, 1, 2, 3))), ('+', 1)))
            elif kind == 'tie':
                tie = rng.choice(ties)
                if self.chance(0.4):
                    columns = tie.columns if self.chance(0.7) else (rng.choice(tie.columns),)
                    sets.update({c: ('=', None) for c in columns if c != 'tn'})
                else:
                    values = self.parent_key(rows, tie, chosen[0] if chosen else None)
                    sets.update({c: ('=', v) for c, v in values.items() if c != 'tn'})
            elif kind == 'poly':
                group = rng.choice(groups)
                (column,), (name,) = group[0].columns, group[0].discriminator
                values = self.poly_key(rows, group)
                what = rng.choice(([column], [name], [column, name]))
                sets.update({c: ('=', None if c == column and self.chance(0.35) else values[c]) for c in what})
            elif kind == 'key' and table.primary:
                column = rng.choice([c for c in table.primary if c != 'p'] or ['p'])
                if column == 'p':
                    sets['p'] = ('=', rng.randint(0, 2))
                elif column == 'tn':
                    sets['tn'] = ('=', rng.randint(1, 4))
                elif len(chosen) == 1 and self.chance(0.6):
                    sets[column] = ('=', rng.randint(1, 12))
                else:
                    self.fresh += 10
                    sets[column] = ('+', self.fresh)
            elif kind == 'code':
                old = [r['code'] for r in chosen if r['code'] is not None]
                if ('code',) in table.unique_deferrable and len(old) > 1 and self.chance(0.6):
                    sets['code'] = ('swap', dict(zip(old, old[1:] + old[:1])))
                elif self.chance(0.3):
                    sets['code'] = ('=', None)
                else:
                    self.fresh += 10
                    sets['code'] = ('+', self.fresh)
            elif kind == 'p':
                sets['p'] = ('=', rng.randint(0, 2))
        return sets or {'v': ('+', 1)}

    def delete(self, rows, table):
        where, chosen = self.some(rows, table)
        return Delete(table, where, self.place(table, chosen))

    def update(self, rows, table):
        where, chosen = self.some(rows, table)
        return Update(table, where, self.sets(rows, table, chosen), self.place(table, chosen))

    def insert(self, rows, table):
        new = [self.new_row(rows, table) for _ in range(self.rng.randint(1, 3))]
        sets = None
        if table.primary and self.chance(0.3):
            every = list(rows[table.name].values())
            for row in new:
                if every and self.chance(0.6):
                    row.update({c: v for c, v in self.rng.choice(every).items() if c in table.primary})
            sets = self.sets(rows, table, [])
            sets = {c: s for c, s in sets.items() if c not in table.primary} or {'v': ('+', 1)}
            if len({key(r, table.primary) for r in new}) < len(new):
                new = new[:1]
        return Insert(table, new, sets, self.place(table, new))

    def merge(self, rows, table):
        if not table.primary:
            return self.insert(rows, table)
        _, chosen = self.some(rows, table, 4)
        lines = [(key(r, table.primary), self.rng.choice(('delete', 'update')), r) for r in chosen]
        for _ in range(self.rng.randint(0, 2)):
            row = self.new_row(rows, table)
            lines.append((key(row, table.primary), 'insert', row))
        lines = list({k: line for line in lines for k in [line[0]] if k}.values())
        if not lines:
            return self.insert(rows, table)
        via = self.place(table, [line[2] for line in lines])
        return Merge(table, lines, self.sets(rows, table, chosen), via)

    def reinsert(self, rows, table):
        where, chosen = self.some(rows, table)
        again = where
        if where.values and len(where.values) > 1 and self.chance(0.5):
            again = Where(where.columns, where.values[:1])
        sets = {'v': ('=', self.rng.choice((None, 1, 2)))} if self.chance(0.3) else {}
        return Reinsert(table, where, again, sets)

    def several(self, rows, _):
        parts = []
        for _ in range(self.rng.choice((2, 2, 3))):
            kind = self.rng.choice((self.delete, self.update, self.update, self.insert))
            parts.append(kind(rows, self.table()))
        return With(parts)

    def table(self):
        """Tables that relationships know are more interesting."""
        known = [self.schema.tables[t] for r in self.schema.relationships
                 for t in (r.source, r.target, r.ties[0].child)]
        return self.rng.choice(known + list(self.schema.tables.values()))

    def statement(self, rows):
        kinds = (self.delete, self.update, self.insert, self.merge, self.several, self.reinsert)
        kind = self.rng.choices(kinds, (28, 42, 12, 9, 7, 0 if self.schema.twin else 3))[0]
        return kind(rows, self.table())
