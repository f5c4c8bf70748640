#!/usr/bin/env python3
"""Compare cascade with a plain model of its rules, on random schemas.

    t/random/run.py [--seed N | --seeds A-B] [--twin] [--shapes ...] [--verbose]
                    [-h HOST] [-p PORT] [-U USER] [-d DATABASE]

Every seed makes up to six tables with relationships and foreign keys, and
runs transactions on them.  After each statement every table is compared with
the model (model.py), and the SQLSTATE of an error with those it expects.
With --twin the schema has only what native foreign keys can do as well, and
is compared with one that has those, too.  Needs psql and a superuser; it
works in schemas "random" and "twin", which it drops.

A difference is made as small as it gets and printed as a script; the exit
status is 1 then.

What is not generated, because the rules leave its outcome open (each place
that raises Undetermined gives the reason):
  - what depends on the order of relationships or checks, which the rules put
    in none: a statement is run on the model in several orders, and not used
    when the outcomes differ;
  - one row written by two parts of a statement, a unique key given up by one
    row and taken by another, two actions with different values for a column;
  - a constraint that is violated in the middle of a cascade and holds at its
    end, where it is not sure to be checked late: native actions besides, and
    a statement that writes parent and child and may check the child first;
  - targets that wait for a check are known by their key: another row that
    takes it, a key that changes and is not followed;
  - a target detached and attached by one statement, where it is not counted;
  - two NOT NULL keys set to NULL by one event, with orphan_when 'all', and a
    row that held another one which the same check looks at;
  - relationships that share a key under different discriminators have the
    same delete-orphan, orphan_when and deferred, and no single_parent; link
    rows have both their ends; keys that relationships lead to are unique.
Native foreign keys may refuse, in the middle of their cascade, what is all
right in its end (see compare); a seed is compared no further then.
"""
import argparse
import copy
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from generate import SHAPES, Insert, Schema, Writer
from model import Error, Model, Relationship, State, Undetermined

ORDERS = 3      # tried for each statement
DOUBTS = 60     # tried before a difference is believed


# ---- what a program is to do

class Step:
    """kind: statement, begin, savepoint, rollback to, release, set, commit,
    rollback.  guard: a savepoint of its own around it, for errors."""
    def __init__(self, kind, what=None, guard=False):
        self.kind, self.what, self.guard = kind, what, guard


class Program:
    def __init__(self, schema, rows, transactions):
        self.schema, self.rows, self.transactions = schema, rows, transactions


class Expected:
    """One line to run.  codes: SQLSTATEs it may end with; rows: what the
    tables hold then, None where they cannot be asked; place: its step."""
    def __init__(self, sql, codes, rows, place):
        self.sql, self.codes, self.rows, self.place = sql, codes, rows, place


def outcome(schema, state, action, order):
    """('ok', state) or ('error', codes)"""
    state = state.copy()
    try:
        action(Model(schema, state, order))
    except Error as e:
        return 'error', e.codes
    return 'ok', state


def settled(schema, state, action, orders=ORDERS):
    """The outcome that is the same in every order."""
    first, codes = None, set()
    for i in range(orders):
        kind, result = outcome(schema, state, action, i if i < 2 else random.Random(i))
        if first is None:
            first = kind, result
        elif kind != first[0] or kind == 'ok' and result.all() != first[1].all():
            raise Undetermined('it depends on an order that the rules leave open')
        if kind == 'error':
            codes |= result
    return ('error', codes) if first[0] == 'error' else first


class Simulation:
    """Runs steps on the model and tells what to run on the server."""
    def __init__(self, schema, state, orders=ORDERS):
        self.schema, self.state, self.orders = schema, state, orders
        self.committed, self.savepoints, self.lines = state, [], []
        self.open = self.failed = False
        self.place = None

    def expect(self, sql, codes=('00000',), ask=True):
        rows = texts(self.schema, self.state) if ask and not self.failed else None
        self.lines.append(Expected(sql, set(codes), rows, self.place))

    def begin(self):
        self.committed, self.savepoints = self.state, []
        self.state = self.state.copy()
        self.open, self.failed = True, False

    def end(self, state):
        self.state = state.copy()
        self.state.forget()
        self.state.mode, self.state.clock = None, 0
        self.savepoints, self.open, self.failed = [], False, False

    def run(self, step):
        if step.kind == 'begin':
            self.begin()
            return self.expect('BEGIN;')
        if step.kind == 'rollback' or step.kind == 'commit' and self.failed:
            self.end(self.committed)
            return self.expect('ROLLBACK;')
        if self.failed and step.kind != 'rollback to':
            return None
        return getattr(self, 'run_' + step.kind.replace(' ', '_'))(step)

    def run_savepoint(self, step):
        self.savepoints.append((step.what, self.state.copy()))
        self.expect(f'SAVEPOINT {step.what};')

    def run_rollback_to(self, step):
        if step.what not in [name for name, _ in self.savepoints]:
            return
        while self.savepoints[-1][0] != step.what:
            self.savepoints.pop()
        clock = self.state.clock
        self.state = self.savepoints[-1][1].copy()
        self.state.clock = clock
        self.failed = False
        self.expect(f'ROLLBACK TO {step.what};')

    def run_release(self, step):
        if step.what not in [name for name, _ in self.savepoints]:
            return
        while self.savepoints.pop()[0] != step.what:
            pass
        self.expect(f'RELEASE {step.what};')

    def run_statement(self, step):
        writes = step.what.writes(self.state.rows)
        sql = step.what.sql() + ';'

        def action(model):
            model.statement(writes, step.what.ordered)
            if not self.open:
                model.commit()
        self.attempt(step, sql, action)

    def run_set(self, step):
        def action(model):
            if step.what == 'IMMEDIATE':
                model.state.mode = 'IMMEDIATE'
                model.commit()
            model.state.mode = step.what
        self.attempt(step, f'SET CONSTRAINTS ALL {step.what};', action)

    def attempt(self, step, sql, action):
        kind, result = settled(self.schema, self.state, action, self.orders)
        if kind == 'ok':
            self.state = result
            if not self.open:
                self.end(result)
            return self.expect(sql)
        if not self.open:
            return self.expect(sql, result)
        if step.guard:
            # the savepoint of its own, whose way back shows that nothing has changed
            self.expect('SAVEPOINT guard;', ask=False)
            self.expect(sql, result, ask=False)
            return self.expect('ROLLBACK TO guard;')
        self.failed = True
        return self.expect(sql, result)

    def run_commit(self, step):
        kind, result = settled(self.schema, self.state, lambda model: model.commit(), self.orders)
        if kind == 'ok':
            self.end(result)
            return self.expect('COMMIT;')
        self.end(self.committed)
        return self.expect('COMMIT;', result)


def texts(schema, state):
    """The rows as the server shows them."""
    return sorted(f'{name} (' + ','.join('' if row[c] is None else str(row[c]) for c in table.column_names()) + ')'
                  for name, table in schema.tables.items() for row in state.rows[name].values())


def simulate(program, orders=ORDERS, last=None):
    """What the program is expected to do; Undetermined if nobody can tell.
    last: the line that is asked for."""
    state = State(program.schema.tables)
    for name, row in program.rows:
        state.next_rid += 1
        state.rows[name][state.next_rid] = row
    if Model(program.schema, state).violations(True):
        raise Undetermined('nothing to begin with')
    simulation = Simulation(program.schema, state, orders)
    for i, transaction in enumerate(program.transactions):
        for j, step in enumerate(transaction):
            simulation.place = i, j
            simulation.run(step)
            if last is not None and len(simulation.lines) > last:
                return simulation.lines
    return simulation.lines


def writes_any(statement, rows):
    try:
        return bool(statement.writes(rows))
    except Undetermined:
        return False


def make_program(seed, shapes, twin):
    rng = random.Random(f'{seed} {twin}')
    schema = Schema(rng, shapes, twin)
    state = State(schema.tables)
    schema.fill(state)
    rows = [(name, row) for name in schema.tables for row in state.rows[name].values()]
    rng.shuffle(rows)
    rows.sort(key=lambda r: r[0])
    program = Program(schema, rows, [])
    writer = Writer(rng, schema)
    simulation = Simulation(schema, state)

    def attempt(step):
        """Keep a step whose outcome is known."""
        lines = len(simulation.lines)
        before = simulation.state.copy()
        try:
            simulation.run(step)
        except Undetermined:
            simulation.state = before
            del simulation.lines[lines:]
            return False
        return len(simulation.lines) > lines

    def statement(steps):
        for _ in range(20):
            guard = rng.random() < 0.85
            step = Step('statement', writer.statement(simulation.state.rows), guard)
            if not writes_any(step.what, simulation.state.rows):
                continue
            before, lines, failed = simulation.state.copy(), len(simulation.lines), simulation.failed
            if attempt(step):
                refused = '00000' not in simulation.lines[lines].codes or len(simulation.lines) > lines + 1
                if refused and rng.random() < 0.6:      # most errors are alike
                    simulation.state, simulation.failed = before, failed
                    del simulation.lines[lines:]
                    continue
                steps.append(step)
                return

    for _ in range(rng.randint(4, 9)):
        steps = []
        program.transactions.append(steps)
        if rng.random() < 0.3:
            statement(steps)
            continue
        steps.append(Step('begin'))
        simulation.run(steps[0])
        names = []
        for _ in range(rng.randint(1, 7)):
            kind = rng.choices(('statement', 'savepoint', 'rollback to', 'release', 'set'), (72, 8, 8, 2, 10))[0]
            if kind == 'statement':
                statement(steps)
                continue
            if kind == 'savepoint':
                step = Step(kind, f's{len(names)}')
                names.append(step.what)
            elif kind == 'set':
                step = Step(kind, rng.choice(('IMMEDIATE', 'DEFERRED')), rng.random() < 0.85)
            elif names:
                step = Step(kind, rng.choice(names))
            else:
                continue
            if attempt(step):
                steps.append(step)
        step = Step('commit' if rng.random() < 0.85 else 'rollback')
        if not attempt(step):
            step = Step('rollback')
            simulation.run(step)
        steps.append(step)
    return program


# ---- running it

class Server:
    def __init__(self, options):
        self.command = ['psql', '-X', '-q', '-A', '-t', '-F', ' '] + options

    def run(self, text):
        """A fresh session for every program: what is installed may change in between."""
        for wait in (0.2, 0.5, 1, 2, 5, 10, 0):     # it may have crashed just now
            done = subprocess.run(self.command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode != 2 or done.stdout:
                break
            time.sleep(wait)
        return done.stdout, done.stderr


def prepare(program, native=False):
    """The lines that make schema, rows and relationships."""
    schema, name = program.schema, 'twin' if native else 'random'
    yield from ('SET client_min_messages = error;', 'CREATE EXTENSION IF NOT EXISTS cascade;',
                f'DROP SCHEMA IF EXISTS {name} CASCADE;', f'CREATE SCHEMA {name};', f'SET search_path = {name};')
    yield from schema.create()
    fill = []
    for table in schema.tables.values():
        rows = [row for name, row in program.rows if name == table.name]
        if rows:
            fill.append(Insert(table, rows).sql() + ';')
    declare = [] if native else schema.declare()
    if schema.declare_first:
        yield from schema.constrain(native) + declare + schema.attach()
        # a load that fires no triggers: the tables may refer to each other
        yield from ['SET session_replication_role = replica;'] + fill + ['RESET session_replication_role;']
    else:
        yield from fill + schema.constrain(native) + declare


def script(program, lines, native=False):
    text = []
    for i, line in enumerate(prepare(program, native)):
        text += [line, f"\\echo '#' d{i} :SQLSTATE"]
    text.append("SET statement_timeout = '30s';")
    tables = [f"SELECT '{t}', x::text FROM {t} x" for t in program.schema.tables]
    text.append('PREPARE state AS ' + ' UNION ALL '.join(tables) + ';')
    for i, line in enumerate(lines):
        text += [line.sql, f"\\echo '#' {i} :SQLSTATE"]
        if line.rows is not None:
            text.append('EXECUTE state;')
    return '\n'.join(text) + '\n'


def results(server, text):
    """What psql said: mark -> (SQLSTATE, rows), and the errors."""
    out, errors = server.run(text)
    found, rows = {}, []
    for line in out.splitlines():
        if line.startswith('# '):
            _, mark, code = line.split()
            rows = []
            found[mark] = code.replace('23001', '23503'), rows
        elif line.startswith('t'):
            rows.append(line)
    return found, errors


class Difference:
    def __init__(self, index, expected, got, errors, declared=None):
        self.index, self.expected, self.got, self.errors, self.declared = index, expected, got, errors, declared

    def kind(self):
        return self.declared is not None, self.got if isinstance(self.got, str) else 'rows'


def compare(server, program, lines, twin):
    """The first difference, or None."""
    found, errors = results(server, script(program, lines))
    for i, line in enumerate(prepare(program)):
        if found.get(f'd{i}', ('none', []))[0] != '00000':
            return Difference(-1, 'it to succeed', found.get(f'd{i}', ('none', []))[0], errors, line)
    native = results(server, script(program, lines, True))[0] if twin else None
    for i, line in enumerate(lines):
        code, rows = found.get(str(i), ('no answer', []))
        if code not in line.codes:
            return Difference(i, 'SQLSTATE ' + ' or '.join(sorted(line.codes)), code, errors)
        if line.rows is not None and sorted(rows) != line.rows:
            return Difference(i, line.rows, sorted(rows), errors)
        if native is not None:
            code_there, rows_there = native.get(str(i), ('no answer', []))
            # Native keys check, and set to NULL, between the steps of their own cascade: they may
            # refuse what is all right in the end, and refuse with the other error.
            if code == '00000' and code_there in ('23502', '23503'):
                return None
            if code in ('23502', '23503') and code_there in ('23502', '23503'):
                continue
            if code_there != code:
                return Difference(i, 'the SQLSTATE of native keys: ' + code_there, code, errors)
            if line.rows is not None and sorted(rows_there) != sorted(rows):
                return Difference(i, sorted(rows_there), sorted(rows), errors)
    return None


def undetermined(program, index):
    """Whether many orders find an outcome that a few did not."""
    try:
        simulate(program, DOUBTS, index)
    except Undetermined:
        return True
    return False


# ---- making it small

def cut(program, difference, lines):
    """Leave out what comes after the difference."""
    if difference.declared is not None:
        program.transactions = []
        return
    i, j = lines[difference.index].place
    del program.transactions[i + 1:]
    del program.transactions[i][j + 1:]


def changed(r, **options):
    """The relationship with other options."""
    given = {n: getattr(r, n) for n in (
        'name', 'source', 'target', 'direction', 'ties', 'words', 'nullify', 'nullify_columns', 'follow_keys',
        'propagate', 'single_parent', 'orphan_when', 'deferred')}
    return Relationship(**dict(given, **options))


def forget(program, table, column):
    """Take a column away that nothing needs."""
    schema = program.schema
    ties = [t for r in schema.relationships for t in r.ties] + schema.foreign_keys
    used = {c for t in ties if t.child == table.name for c in (*t.columns, *t.discriminator)}
    used |= {c for t in ties if t.parent == table.name for c in t.keys}
    used |= {c for r in schema.relationships if r.source == table.name for c in r.propagate}
    used |= {c for r in schema.relationships if r.target == table.name for c in r.propagate.values()}
    used |= {p[2] for p in table.partitions} | set(table.primary)
    if column in used or len(table.columns) == 1:
        return False
    for transaction in program.transactions:
        for step in transaction:
            for part in getattr(step.what, 'parts', [step.what]):
                if getattr(part, 'table', None) is table:
                    for where in getattr(part, 'where', None), getattr(part, 'again', None):
                        if where and column in (where.columns or ()):
                            return False
                    if column in (getattr(part, 'sets', None) or ()):
                        del part.sets[column]
                        if not part.sets and hasattr(part, 'where') and not part.ordered:
                            return False
                    for row in getattr(part, 'new', []) + [line[2] for line in getattr(part, 'lines', [])]:
                        row.pop(column, None)
    table.columns = [c for c in table.columns if c[0] != column]
    table.not_null.discard(column)
    for unique in table.unique, table.unique_deferrable:
        unique[:] = [u for u in unique if column not in u]
    schema.indexes = []
    for name, row in program.rows:
        if name == table.name:
            row.pop(column, None)
    return True


def changes(program):
    """Functions that leave something out of such a program."""
    def drop(path, i, least=0):
        def change(new):
            if len(path(new) or ()) <= least:
                return False
            path(new).pop(i)
            return True
        return change

    for i in reversed(range(len(program.transactions))):
        yield drop(lambda p: p.transactions, i)
    for i in reversed(range(len(program.transactions))):
        for j in reversed(range(len(program.transactions[i]))):
            if program.transactions[i][j].kind not in ('begin', 'commit', 'rollback'):
                yield drop(lambda p, i=i: p.transactions[i], j)
    if not program.schema.native:
        for i in reversed(range(len(program.schema.relationships))):
            yield drop(lambda p: p.schema.relationships, i)
    for i in reversed(range(len(program.schema.foreign_keys))):
        def change(new, i=i):
            fk = new.schema.foreign_keys.pop(i)
            new.schema.short = set()
            if new.schema.native:
                new.schema.native.pop(i)
                new.schema.relationships = [r for r in new.schema.relationships
                                            if (r.ties[0].child, r.ties[0].columns) != (fk.child, fk.columns)]
        yield change
    for i in reversed(range(len(program.rows))):
        yield drop(lambda p: p.rows, i)
    for i, transaction in enumerate(program.transactions):
        for j, step in enumerate(transaction):
            for attribute in ('parts', 'lines', 'new'):
                for k in range(len(getattr(step.what, attribute, ()))):
                    yield drop(lambda p, i=i, j=j, a=attribute: getattr(p.transactions[i][j].what, a), k, 1)
            for k in range(len(getattr(getattr(step.what, 'where', None), 'values', None) or ())):
                yield drop(lambda p, i=i, j=j: p.transactions[i][j].what.where.values, k, 1)
    for i, r in enumerate([] if program.schema.native else program.schema.relationships):
        for option, default in (('deferred', True), ('orphan_when', 'any'), ('nullify', True), ('follow_keys', True),
                                ('propagate', {}), ('single_parent', False), ('nullify_columns', None)):
            if getattr(r, option) != default:
                def change(new, i=i, option=option, default=default):
                    rs = new.schema.relationships
                    rs[i] = changed(rs[i], **{option: default})
                yield change
        for word in r.words:
            def change(new, i=i, word=word):
                rs = new.schema.relationships
                rs[i] = changed(rs[i], words=tuple(w for w in rs[i].words if w != word))
            yield change
    for name, table in program.schema.tables.items():
        if table.partitions:
            def change(new, name=name):
                table = new.schema.tables[name]
                table.partition_by, table.partitions, table.attach, table.late = None, [], set(), set()
                for transaction in new.transactions:
                    for step in transaction:
                        for part in getattr(step.what, 'parts', [step.what]):
                            if getattr(part, 'table', None) is table:
                                part.via = name
            yield change
        def change(new, name=name):
            if any(name in (t.child, t.parent) for r in new.schema.relationships for t in r.ties) \
                    or any(name in (fk.child, fk.parent) for fk in new.schema.foreign_keys) \
                    or any(t == name for t, _ in new.rows) or len(new.schema.tables) == 1:
                return False
            del new.schema.tables[name]
            new.schema.indexes = [i for i in new.schema.indexes if f' ON {name} ' not in i]
        yield change
    for name, table in program.schema.tables.items():
        for column in table.column_names():
            def change(new, name=name, column=column):
                return forget(new, new.schema.tables[name], column)
            yield change
    for i in range(len(program.schema.indexes)):
        yield drop(lambda p: p.schema.indexes, i)
    if program.schema.declare_first:
        def change(new):
            new.schema.declare_first = False
            for table in new.schema.tables.values():
                table.late = set()
        yield change


def shrink(server, program, twin, lines, difference, budget):
    """Leave out what is not needed for a difference of this kind."""
    program = copy.deepcopy(program)
    cut(program, difference, lines)
    again = True
    while again:
        again = False
        for change in list(changes(program)):
            candidate = copy.deepcopy(program)
            try:
                if change(candidate) is False:
                    continue
                new_lines = simulate(candidate)
            except (Undetermined, IndexError, KeyError, AttributeError):     # stale
                continue
            if budget <= 0:
                return program, lines, difference
            budget -= 1
            found = compare(server, candidate, new_lines, twin)
            if found and found.kind() == difference.kind() and not undetermined(candidate, found.index):
                cut(candidate, found, new_lines)
                program, lines, difference, again = candidate, new_lines, found, True
    return program, lines, difference


# ---- telling

def report(program, lines, difference, twin):
    print('\n'.join(prepare(program)))
    if twin:
        print('-- the other side, in schema twin, has')
        print('\n'.join('-- ' + line for line in program.schema.constrain(True)))
    print()
    if difference.declared is not None:
        print('-- ' + difference.declared)
    else:
        print('\n'.join(line.sql for line in lines[:difference.index + 1]))
    if isinstance(difference.expected, list):
        missing = [r for r in difference.expected if r not in difference.got]
        extra = [r for r in difference.got if r not in difference.expected]
        print('-- rows expected:', ' '.join(difference.expected))
        print('-- rows found:   ', ' '.join(difference.got))
        print('-- only expected:', ' '.join(missing) or 'none')
        print('-- only found:   ', ' '.join(extra) or 'none')
    else:
        print('-- expected:', difference.expected)
        print('-- found:   ', difference.got)
    for line in difference.errors.splitlines()[-8:]:
        print('-- ' + line)


def run_seed(server, seed, options):
    """'same', 'open' or 'different'"""
    program = make_program(seed, options.shapes, options.twin)
    lines = simulate(program)
    difference = compare(server, program, lines, options.twin)
    if options.verbose:
        print(f'-- seed {seed}: {len(program.schema.tables)} tables, '
              f'{len(program.schema.relationships)} relationships, '
              f'{len(program.schema.foreign_keys)} foreign keys, {len(lines)} lines, '
              f'{sum(1 for line in lines if "00000" not in line.codes)} errors', flush=True)
    if difference is None:
        return 'same'
    if difference.declared is None and undetermined(program, difference.index):
        return 'open'
    program, lines, difference = shrink(server, program, options.twin, lines, difference, options.shrink)
    print(f'-- seed {seed}{" --twin" if options.twin else ""}: a difference')
    report(program, lines, difference, options.twin)
    sys.stdout.flush()
    return 'different'


def main():
    parser = argparse.ArgumentParser(add_help=False, description=__doc__.split('\n\n')[0])
    parser.add_argument('--help', action='help')
    parser.add_argument('--seed', type=int)
    parser.add_argument('--seeds', default='1-100', metavar='A-B')
    parser.add_argument('--twin', action='store_true', help='compare with native foreign keys')
    parser.add_argument('--shapes', default=','.join(SHAPES), help='of ' + ', '.join(SHAPES))
    parser.add_argument('--shrink', type=int, default=400, metavar='N', help='programs to try when making it small')
    parser.add_argument('--keep-going', action='store_true', help='do not stop at the first difference')
    parser.add_argument('--verbose', action='store_true')
    for letter, name in zip('hpUd', ('HOST', 'PORT', 'USER', 'DATABASE')):
        parser.add_argument('-' + letter, metavar=name)
    options = parser.parse_args()
    options.shapes = options.shapes.split(',')
    first, _, last = (options.seeds if options.seed is None else str(options.seed)).partition('-')
    server = Server([f'-{x}{getattr(options, x)}' for x in 'hpUd' if getattr(options, x)])

    count = {'same': 0, 'open': 0, 'different': 0}
    for seed in range(int(first), int(last or first) + 1):
        count[run_seed(server, seed, options)] += 1
        if count['different'] and not options.keep_going:
            break
    print(f'{sum(count.values())} seeds: {count["same"]} same, {count["open"]} left open by the rules, '
          f'{count["different"]} different')
    sys.exit(1 if count['different'] else 0)


if __name__ == '__main__':
    main()
