"""What cascade does to rows, told row by row.

run.py compares the extension with this model.  It is written from the rules
of the relationships alone, not from the C code, and is slow and plain on
purpose: a row is a dict, every question a loop over a table.

A row keeps its number (rid) for life, so "the same row" needs no key here.
A statement writes rows; self.changed keeps each of them as it was when it was
last looked at.  A round looks at what has changed and does what follows from
it, which is looked at by the next round, until nothing is left (settle).
"""

ONE_TO_MANY, MANY_TO_ONE, MANY_TO_MANY = 'one-to-many', 'many-to-one', 'many-to-many'
NOT_NULL, FOREIGN_KEY, UNIQUE = '23502', '23503', '23505'


class Error(Exception):
    """PostgreSQL refuses the statement, with one of these SQLSTATEs."""
    def __init__(self, *codes):
        super().__init__(*sorted(codes))
        self.codes = set(codes)


class Undetermined(Exception):
    """The rules leave the outcome open; the text says which ones."""


def key(row, columns):
    """The values of a key, None where one of them is NULL: it ties to nothing."""
    values = tuple(row[c] for c in columns)
    return None if None in values else values


class Tie:
    """Columns of a child table that hold the key of a parent table."""
    def __init__(self, child, columns, parent, keys, discriminator=None):
        self.child, self.columns, self.parent, self.keys = child, columns, parent, keys
        self.discriminator = discriminator or {}

    def matches(self, row):
        return all(row[c] == v for c, v in self.discriminator.items())

    def key(self, row):
        return key(row, self.columns) if self.matches(row) else None


class Relationship:
    """ties: of one-to-many and many-to-one the one there is; of many-to-many
    the secondary's to the source, then its to the target."""
    def __init__(self, name, source, target, direction, ties, words=(), nullify=True, nullify_columns=None,
                 follow_keys=True, propagate=None, single_parent=False, orphan_when='any', deferred=True):
        self.name, self.source, self.target, self.direction, self.ties = name, source, target, direction, ties
        self.words, self.nullify, self.nullify_columns, self.follow_keys = words, nullify, nullify_columns, follow_keys
        self.propagate, self.single_parent = propagate or {}, single_parent
        self.orphan_when, self.deferred = orphan_when, deferred
        self.delete = bool({'delete', 'all'} & set(words))
        self.orphan = 'delete-orphan' in words
        self.save = bool({'save-update', 'all'} & set(words))
        self.follows = self.save and follow_keys
        self.unlinks = self.delete or nullify    # many-to-many: link rows go with either end
        self.takes = self.delete and not self.orphan and direction != ONE_TO_MANY


class State:
    """All that a savepoint brings back.  Rows are replaced, never changed."""
    def __init__(self, tables):
        self.rows = {t: {} for t in tables}
        self.next_rid = 0
        self.mode = None        # SET CONSTRAINTS ALL: 'IMMEDIATE', 'DEFERRED'
        self.clock = 0          # statements of this transaction
        self.forget()

    def forget(self):
        self.orphans = set()    # (relationship, rid): one-to-many, lost its parent
        self.lost = {}          # (relationship, rid): key; counted target that lost a reference
        self.taken = {}         # (relationship, rid): (key, clock, murky); target that goes with its source
        self.unlinked = {}      # (relationship, source rid, target rid): (keys, clock, murky); link removed
        self.doubled = set()    # single_parent relationships with new references
        self.retaken = set()    # of lost and taken: gone, and another row had its key

    def copy(self):
        new = State(())
        new.rows = {t: dict(rows) for t, rows in self.rows.items()}
        new.next_rid, new.mode, new.clock = self.next_rid, self.mode, self.clock
        new.orphans, new.lost, new.taken = set(self.orphans), dict(self.lost), dict(self.taken)
        new.unlinked, new.doubled, new.retaken = dict(self.unlinked), set(self.doubled), set(self.retaken)
        return new

    def all(self):
        """For comparison: what the transaction has come to."""
        return (self.rows, self.orphans, self.lost, self.taken, self.unlinked, self.doubled)


class Model:
    """order: what the rules put in no order is done in this one: relationships
    as they are listed (0), backwards (1), or shuffled by a random.Random."""
    def __init__(self, schema, state, order=0):
        self.tables, self.foreign_keys = schema.tables, schema.foreign_keys
        self.relationships = list(schema.relationships)
        if order == 1:
            self.relationships.reverse()
        elif order:
            order.shuffle(self.relationships)
        self.by_name = {r.name: r for r in self.relationships}
        self.first = order != 1         # of two that have no order
        self.state, self.rows = state, state.rows
        self.changed = {}                       # (table, rid): row as it was, for the next round
        self.unseen = {}                        # (table, rid): all that it was, for foreign keys
        self.followed = {}                      # (table, rid, columns): key that the row followed its parent to
        self.doomed = set()                     # (table, rid): NOT NULL key set to NULL

    # ---- statements

    def statement(self, writes, ordered=False):
        self.state.clock += 1
        self.write(writes, ordered)
        kinds = {(table, rid is None, new is None) for table, rid, new in writes}
        self.finish(len(kinds) > 1 and not ordered)

    def commit(self):
        """Also SET CONSTRAINTS ALL IMMEDIATE: the checks, each a statement."""
        bad = self.violations(True)
        try:
            while self.check(True):
                self.finish()
                bad |= self.violations(True)
        except Error as e:
            e.codes |= bad
            raise
        self.conclude(bad, self.violations(True))

    def finish(self, several=False):
        """From the rows written to the end of the statement."""
        # A statement that writes in several ways may check what it wrote first
        # before it looks at what it wrote last.
        bad = self.violations(False) if several else set()
        late = [self.native_actions, lambda: self.state.mode == 'IMMEDIATE' and self.check(True)]
        try:
            while True:
                self.settle()
                bad |= self.violations(False)
                if not any(step() for step in (late if self.first else late[::-1])):
                    break
                bad |= self.violations(False)
        except Error as e:
            e.codes |= bad
            raise
        self.conclude(bad, self.violations(False))

    def conclude(self, bad, now):
        if now:
            raise Error(*now)
        if bad:
            raise Undetermined('a constraint is violated for a while: whether it is checked just then')

    def settle(self):
        """All rounds, orphans and targets that are not deferred included."""
        while True:
            while self.changed:
                self.round()
            if not self.check(False):
                break

    # ---- rows

    def write(self, writes, ordered=False):
        """writes: (table, rid, new row); no rid: an INSERT, no row: a DELETE.
        ordered: what goes goes before what comes."""
        codes, given_up, new_rids = set(), {}, set()
        for table, rid, new in writes:
            old = self.rows[table].get(rid)
            missing = {c for c in self.tables[table].not_null if new is not None and new[c] is None}
            if missing:
                kept = self.keys_to_keep(table, old, new, missing) if old else set()
                if not missing <= kept:
                    codes.add(NOT_NULL)
                    continue
                new = dict(new, **{c: old[c] for c in missing})
                self.doomed.add((table, rid))
            if rid is None:
                rid = self.state.next_rid = self.state.next_rid + 1
            if new == old:
                continue
            self.changed.setdefault((table, rid), old)
            self.unseen.setdefault((table, rid), []).append(old)
            if old is not None:
                given_up[table, rid] = old
            if new is None:
                del self.rows[table][rid]
            else:
                self.rows[table][rid] = new
                new_rids.add((table, rid))
        for name in sorted({w[0] for w in writes}):
            for columns in self.tables[name].unique:
                keys = [key(row, columns) for row in self.rows[name].values() if key(row, columns)]
                if len(keys) > len(set(keys)):
                    codes.add(UNIQUE)
                for t, rid in new_rids:
                    if t == name and not ordered and any(
                            other != rid and key(old, columns) == key(self.rows[t][rid], columns) is not None
                            for (u, other), old in given_up.items() if u == t):
                        raise Undetermined('a row takes the unique key that another one gives up')
            for columns in self.tables[name].logical:
                keys = [key(row, columns) for row in self.rows[name].values()]
                if len(keys) > len(set(keys)):
                    raise Undetermined('a key that is to be unique is not')
        if codes:
            raise Error(*codes)

    def keys_to_keep(self, table, old, new, missing):
        """A NOT NULL key or discriminator set to NULL makes an orphan; it goes
        when the statement ends and keeps its key until then."""
        columns, stays = set(), dict(new, **{c: old[c] for c in missing})
        for r in self.relationships:
            tie = r.ties[0]
            if r.direction == ONE_TO_MANY and r.target == table and r.orphan \
                    and tie.key(old) and self.is_orphan(r, new, stays):
                columns.update(tie.columns, tie.discriminator)
        return columns

    # ---- who holds whom

    def has_parent(self, r, row):
        """A key without NULL, of any relationship that shares the key."""
        tie = r.ties[0]
        return key(row, tie.columns) is not None and any(
            other.matches(row) for q in self.relationships for other in q.ties
            if (other.child, other.columns) == (tie.child, tie.columns))

    def references(self, r, values):
        """How many referrers or links hold the target with this key."""
        tie = r.ties[-1]
        same = [other for q in self.relationships for other in q.ties
                if (other.child, other.columns, other.parent, other.keys)
                == (tie.child, tie.columns, tie.parent, tie.keys)]
        return sum(1 for row in self.rows[tie.child].values()
                   if key(row, tie.columns) == values and any(other.matches(row) for other in same)
                   and key(row, r.ties[0].columns) is not None)

    def is_held(self, r, row, stays):
        if r.direction == ONE_TO_MANY:
            return self.has_parent(r, row)
        values = key(stays, r.ties[-1].keys)
        return values is not None and self.references(r, values) > 0

    def is_orphan(self, r, row, stays=None):
        """stays: the row as it is meanwhile, by which others refer to it."""
        rest = self.relationships if r.orphan_when == 'all' else []
        return not self.is_held(r, row, stays or row) and not any(
            self.is_held(q, row, stays or row) for q in rest if q.orphan and q.target == r.target)

    def find(self, table, columns, values, before=None):
        """The row with this key; before: rows as they were."""
        rows = dict(self.rows[table])
        rows.update({rid: old for (t, rid), old in (before or {}).items() if t == table})
        for rid, row in rows.items():
            if row is not None and values is not None and key(row, columns) == values:
                return rid
        return None

    # ---- a round

    def round(self):
        before, self.changed = self.changed, {}
        followed, self.followed = self.followed, {}
        events = [(t, rid, old, self.rows[t].get(rid)) for (t, rid), old in before.items()
                  if old != self.rows[t].get(rid)]
        for r in self.relationships:
            if r.direction == ONE_TO_MANY:
                self.note_orphans(r, events)
            else:
                self.note_references(r, events, before, followed)

        for memory in self.state.lost, self.state.taken:
            for (name, rid), noted in memory.items():
                r = self.by_name[name]
                values = noted if memory is self.state.lost else noted[0]
                if rid not in self.rows[r.target] and self.find(r.target, r.ties[-1].keys, values) is not None:
                    self.state.retaken.add((name, rid))

        # what rows are tied to is read before anything is changed
        unlink, delete, nullify, follow = [], [], [], []
        for r in self.relationships:
            for tie in r.ties:
                gone, moved = self.parents(tie, events)
                for rid, row in self.rows[tie.child].items():
                    values = tie.key(row)
                    if values in gone:
                        if r.direction == MANY_TO_MANY and r.unlinks:
                            unlink.append((tie.child, rid))
                        elif r.direction == ONE_TO_MANY and r.delete:
                            delete.append((tie.child, rid))
                        elif r.direction == ONE_TO_MANY and r.nullify:
                            nullify.append((tie.child, rid, {c: None for c in r.nullify_columns or tie.columns}))
                    elif values in moved and r.follows:
                        follow.append((tie.child, rid, dict(zip(tie.columns, moved[values]))))
                        self.followed[tie.child, rid, tie.columns] = moved[values]
        for t, rid, columns in nullify:
            if any((t, rid) == (u, other) and columns != more for u, other, more in nullify) \
                    and self.tables[t].not_null & set(columns) \
                    and any(r.orphan and r.orphan_when == 'all' and r.target == t for r in self.relationships):
                raise Undetermined("one event nullifies two keys that must not be NULL, orphan_when 'all'")
        written = {}
        self.remove(unlink)
        self.remove(delete)
        self.update(nullify, written)
        self.update(follow, written)
        self.update(self.propagated(events), written)

    def parents(self, tie, events):
        """The keys that are no more, and the keys that are others now."""
        gone, moved = set(), {}
        for t, rid, old, new in events:
            values = t == tie.parent and old is not None and key(old, tie.keys)
            if values and new is None and self.find(t, tie.keys, values) is None:
                gone.add(values)
            elif values and new is not None and values != key(new, tie.keys):
                moved[values] = tuple(new[c] for c in tie.keys)
        return gone, moved

    def propagated(self, events):
        for r in self.relationships:
            for t, rid, old, new in events:
                if not (r.save and r.propagate and t == r.source and old and new):
                    continue
                for child, row in self.rows[r.target].items():
                    if r.ties[0].key(row) == key(new, r.ties[0].keys) is not None:
                        yield (r.target, child, {to: new[c] for c, to in r.propagate.items()
                                                 if old[c] != new[c] and row[to] == old[c]})

    def remove(self, what):
        self.write([(t, rid, None) for t, rid in sorted(set(what)) if rid in self.rows[t]])

    def update(self, what, written):
        merged = {}
        for t, rid, values in what:
            if rid not in self.rows[t]:
                continue
            for c, value in values.items():
                if written.setdefault((t, rid, c), value) != value:
                    raise Undetermined('two actions give one column different values')
                merged.setdefault((t, rid), {})[c] = value
        self.write([(t, rid, dict(self.rows[t][rid], **values)) for (t, rid), values in sorted(merged.items())])

    # ---- what the checks will look at

    def note_orphans(self, r, events):
        for t, rid, old, new in events:
            if r.orphan and t == r.target and old and new and r.ties[0].key(old) and not self.has_parent(r, new):
                self.state.orphans.add((r.name, rid))

    def note_references(self, r, events, before, followed):
        state, clock = self.state, self.state.clock
        attached = []

        def ends(rid, row, then):
            """The rows at the ends of a reference: source and target, or the key of one that is not there."""
            if row is None or any(tie.key(row) is None for tie in r.ties):
                return None, None
            found = []
            for tie in r.ties:
                values = then and followed.get((tie.child, rid, tie.columns)) or tie.key(row)
                # by an old key, too, which the reference will follow
                found.append((None if then else self.find(tie.parent, tie.keys, values))
                             or self.find(tie.parent, tie.keys, values, before) or values)
            return (rid if r.direction == MANY_TO_ONE else found[0]), found[-1]

        def key_of(tie, rid):
            return key(before.get((tie.parent, rid)) or self.rows[tie.parent].get(rid), tie.keys) \
                if isinstance(rid, int) else rid

        for t, rid, old, new in events:
            if t != r.ties[-1].child:
                continue
            was, now = ends(rid, old, True), ends(rid, new, False)
            if was[1] is not None and was != now:
                if r.orphan and was[1] != now[1]:
                    state.lost[r.name, was[1]] = key_of(r.ties[-1], was[1])
                elif r.takes and r.direction == MANY_TO_ONE and new is None:
                    state.taken[r.name, was[1]] = (key_of(r.ties[-1], was[1]), clock, False)
                elif r.takes and r.direction == MANY_TO_MANY:
                    keys = [key_of(tie, end) for tie, end in zip(r.ties, was)]
                    state.unlinked[(r.name, *was)] = (*keys, clock, False)
            if now[1] is not None and was != now:
                attached.append(now[1])
            if r.single_parent and new and all(tie.key(new) for tie in r.ties) \
                    and not (old and all(tie.key(new) == tie.key(old) for tie in r.ties)):
                state.doubled.add(r.name)

        if r.takes and r.direction == MANY_TO_MANY:
            self.note_sources(r, events, before)
        for target in attached:
            for memory in state.taken, state.unlinked:
                for k, (*values, then, _) in list(memory.items()):
                    if (k[0], k[-1]) == (r.name, target):
                        if then < clock:
                            del memory[k]
                        else:
                            memory[k] = (*values, then, True)

    def note_sources(self, r, events, before):
        """many-to-many, delete: the targets behind a deleted source row."""
        to_source, to_target = r.ties
        for t, rid, old, new in events:
            if t != r.source or new is not None or old is None:
                continue
            values = key(old, to_source.keys)
            if values is None or self.find(t, to_source.keys, values) is not None:
                continue
            for link in self.rows[to_source.child].values():
                if to_source.key(link) == values:
                    held = to_target.key(link)
                    target = self.find(r.target, to_target.keys, held) \
                        or self.find(r.target, to_target.keys, held, before) or held
                    self.state.taken[r.name, target] = (held, self.state.clock, False)
            for k, (source_key, target_key, _, murky) in list(self.state.unlinked.items()):
                if k[:2] == (r.name, rid):
                    if murky or source_key != values and not r.follows:
                        raise Undetermined('a link went and another one came in one statement')
                    self.state.taken[r.name, k[2]] = (target_key, self.state.clock, False)

    # ---- checks

    def check(self, deferred):
        """Run one of the checks that are due: delete, as one more statement."""
        state = self.state
        waiting = {k[0] for memory in (state.orphans, state.lost, state.taken) for k in memory} | state.doubled
        due = [lambda r=r: self.run_check(r) for r in self.relationships
               if r.deferred == deferred and r.name in waiting]
        if not deferred and self.doomed:
            due.insert(0 if self.first else len(due), self.remove_doomed)
        for run in due[:1]:
            run()
        return bool(due)

    def remove_doomed(self):
        self.remove(self.doomed)
        self.doomed = set()

    def run_check(self, r):
        state, tie = self.state, r.ties[-1]
        goes, stays = [], []
        for name, rid in [k for k in state.orphans if k[0] == r.name]:
            state.orphans.remove((name, rid))
            row = self.rows[r.target].get(rid)
            if row:
                (goes if self.is_orphan(r, row) else stays).append((r.target, rid))
        for memory in state.lost, state.taken:
            for name, rid in [k for k in memory if k[0] == r.name]:
                noted = memory.pop((name, rid))
                values, murky = (noted[0], noted[-1]) if memory is state.taken else (noted, False)
                row = self.rows[r.target].get(rid)
                if row is None:
                    other = self.find(r.target, tie.keys, values)
                    again = (name, rid) in state.retaken
                    state.retaken.discard((name, rid))
                    there = self.rows[r.target].get(other)
                    if again if there is None else not (memory is state.lost and self.is_held(r, there, there)):
                        raise Undetermined('another target row has taken the key of one that waits for its check')
                elif memory is state.taken or self.is_orphan(r, row):
                    now = key(row, tie.keys)
                    if now != values and (now is None or not r.follows):
                        raise Undetermined('a target that waits for its check has a key that is not followed')
                    if murky:
                        raise Undetermined('a target was detached and attached by one statement')
                    goes.append((r.target, rid))
                else:
                    stays.append((r.target, rid))
        if r.name in state.doubled:
            state.doubled.remove(r.name)
            held = [tie.key(row) for row in self.rows[tie.child].values() if all(t.key(row) for t in r.ties)]
            for values in held:
                if held.count(values) > 1:
                    if self.find(r.target, tie.keys, values) is None:
                        raise Undetermined('two references to a target that is not there')
                    raise Error(UNIQUE)
        self.remove(goes)
        if any(rid in self.rows[t] and self.is_orphan(r, self.rows[t][rid]) for t, rid in stays):
            raise Undetermined('a row that goes has held another one of the same check')

    # ---- PostgreSQL's own foreign keys

    def violations(self, deferred):
        """Errors that constraints checked at this time would raise."""
        for fk in self.foreign_keys:
            later = fk.deferrable and (fk.deferred if self.state.mode is None else self.state.mode == 'DEFERRED')
            if later and not deferred:
                continue
            parents = {key(row, fk.keys) for row in self.rows[fk.parent].values()}
            if any(fk.key(row) and fk.key(row) not in parents for row in self.rows[fk.child].values()):
                return {FOREIGN_KEY}
        for name, table in self.tables.items():
            for columns in table.unique_deferrable:
                keys = [key(row, columns) for row in self.rows[name].values() if key(row, columns)]
                if len(keys) > len(set(keys)):
                    if self.state.mode == 'DEFERRED' and not deferred:
                        raise Undetermined('two rows with one key, until commit')
                    return {UNIQUE}
        return set()

    def native_actions(self):
        """ON DELETE and ON UPDATE: CASCADE, SET NULL."""
        unseen, self.unseen = self.unseen, {}
        delete, sets, hit = [], [], {}
        events = [(t, rid, old, new) for (t, rid), rows in unseen.items()
                  for old, new in zip(rows, rows[1:] + [self.rows[t].get(rid)])]
        for fk in self.foreign_keys:
            for t, rid, old, new in events:
                values = t == fk.parent and old is not None and key(old, fk.keys)
                if not values or new is not None and key(new, fk.keys) == values:
                    continue
                action = fk.on_delete if new is None else fk.on_update
                for child, row in self.rows[fk.child].items():
                    if action == 'NO ACTION' or fk.key(row) != values:
                        continue
                    for other in hit.setdefault((fk.child, child), []):
                        if other is not fk and set(other.columns) & set(fk.columns):
                            raise Undetermined('two foreign keys act on one column')
                    hit[fk.child, child].append(fk)
                    if action == 'SET NULL':
                        columns = new is None and fk.set_null_columns or fk.columns
                        sets.append((fk.child, child, {c: None for c in columns}))
                    elif new is None:
                        delete.append((fk.child, child))
                    else:
                        sets.append((fk.child, child, {c: new[k] for c, k in zip(fk.columns, fk.keys)}))
                        self.followed[fk.child, child, fk.columns] = tuple(new[k] for k in fk.keys)
        self.remove(delete)
        self.update(sets, {})
        return bool(delete or sets)
