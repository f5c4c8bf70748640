/*-------------------------------------------------------------------------
 *
 * pending.c
 *	  what relationships have to look at when a check is due
 *
 * Each relationship that looks for orphans, takes targets along or counts
 * references has a log of what statements did to its rows: batches of target
 * rows that lost their parent, of keys that lost or gained a reference, of
 * keys that changed.  Those that are not deferred read it at the end of the
 * statement (event.c); the others at commit, at PREPARE TRANSACTION, or when
 * SET CONSTRAINTS says so: one event of a constraint trigger CASCADE_verify_*
 * of a table, the first since the last check, is queued to see to it.
 *
 * The trigger manager takes queued events back with an aborted
 * subtransaction, and revives those that fired in it.  So do we: before the
 * first change within a subtransaction the state is put aside, to be brought
 * back if it aborts.  Batches behind the restored end are thus forgotten, and
 * those checked since are to be checked again.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/pending.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "cascade.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef struct PendingState
{
	int			nest_level;		/* of the subtransaction that changed it since */
	int			nbatches;
	int			nchecked;		/* the first batches were looked at */
	bool		armed;			/* an event is queued */
} PendingState;

typedef struct PendingStates
{
	PendingState now;
	List	   *saved;			/* of PendingState, innermost last */
} PendingStates;

/* the log of a relationship; by name, because the cache does not last */
typedef struct PendingLog
{
	Oid			source;
	NameData	name;
	Oid			target;
	Oid			secondary;
	bool		deferred;
	bool		remembers;		/* what was checked may matter later */
	MemoryContext context;		/* of the batches */
	List	   *batches;		/* of PendingBatch */
	PendingStates states;
} PendingLog;

/* a table with constraint triggers */
typedef struct PendingTable
{
	Oid			relid;
	PendingStates states;
} PendingTable;

/* all in TopTransactionContext */
static List *logs = NIL;
static List *tables = NIL;

static PendingLog *find_log(Oid source, const char *name);
static PendingLog *make_log(const CascadeRelationship *rel);
static PendingTable *find_table(Oid relid, bool create);
static bool is_of_table(const PendingLog *log, Oid relid);
static bool is_unchecked(const PendingLog *log);
static void empty_log(PendingLog *log);
static PendingCheck *take(PendingLog *log);
static void save_state(PendingStates *states);
static void abort_states(PendingStates *states, int nest_level);
static void commit_states(PendingStates *states, int nest_level);

/*
 * cascade_pending_add
 *		A new batch at the end of a relationship's log, for the caller to
 *		fill in with memory of *context.
 */
PendingBatch *
cascade_pending_add(const CascadeRelationship *rel, PendingKind kind, MemoryContext *context)
{
	PendingLog *log = find_log(rel->source, NameStr(rel->name));
	MemoryContext oldcontext;
	PendingBatch *batch;

	if (log == NULL)
		log = make_log(rel);
	save_state(&log->states);
	log->deferred = rel->deferred;
	oldcontext = MemoryContextSwitchTo(log->context);
	batch = palloc0(sizeof(PendingBatch));
	batch->kind = kind;
	batch->run = cascade_event_current_run();
	/* what an aborted subtransaction left behind the end goes */
	log->batches = lappend(list_truncate(log->batches, log->states.now.nbatches), batch);
	log->states.now.nbatches++;
	MemoryContextSwitchTo(oldcontext);
	*context = log->context;
	return batch;
}

/*
 * cascade_pending_logged
 *		Has the transaction anything in the log of this relationship?
 */
bool
cascade_pending_logged(const CascadeRelationship *rel)
{
	PendingLog *log = find_log(rel->source, NameStr(rel->name));

	return log && log->states.now.nbatches > 0;
}

/*
 * cascade_pending_take
 *		The log of a relationship, for a check of what was not checked; NULL
 *		if nothing was added since the last one.
 */
PendingCheck *
cascade_pending_take(const CascadeRelationship *rel)
{
	PendingLog *log = find_log(rel->source, NameStr(rel->name));

	return log && is_unchecked(log) ? take(log) : NULL;
}

/*
 * cascade_pending_take_deferred
 *		The logs of the deferred relationships that a table's events stand
 *		for, as a List of PendingCheck.  The next row queues an event again.
 */
List *
cascade_pending_take_deferred(Oid relid)
{
	PendingTable *table = find_table(relid, true);
	List	   *checks = NIL;
	ListCell   *lc;

	save_state(&table->states);
	table->states.now.armed = false;
	foreach(lc, logs)
	{
		PendingLog *log = lfirst(lc);

		if (log->deferred && is_of_table(log, relid) && is_unchecked(log))
			checks = lappend(checks, take(log));
	}
	return checks;
}

/*
 * cascade_pending_forget
 *		The batches that a check took are not needed any more, unless they
 *		can be brought back.
 */
void
cascade_pending_forget(const PendingCheck *check)
{
	PendingLog *log = find_log(check->source, NameStr(check->name));

	if (log->remembers || log->states.saved != NIL || is_unchecked(log))
		return;
	empty_log(log);
}

/*
 * cascade_pending_trim
 *		At the end of a statement, let go of logs in which nothing but changed
 *		keys is noted.
 */
void
cascade_pending_trim(void)
{
	ListCell   *lc;

	foreach(lc, logs)
	{
		PendingLog *log = lfirst(lc);
		bool		changes_only = true;

		for (int i = 0; i < log->states.now.nbatches; i++)
		{
			PendingBatch *batch = list_nth(log->batches, i);

			changes_only &= batch->kind == PENDING_REKEYED ||
				batch->kind == PENDING_SOURCES_REKEYED || batch->kind == PENDING_GONE;
			if (!changes_only)
				break;
		}
		if (changes_only && log->states.saved == NIL && log->states.now.nbatches > 0)
			empty_log(log);
	}
}

static void
empty_log(PendingLog *log)
{
	log->batches = NIL;
	log->states.now.nbatches = log->states.now.nchecked = 0;
	MemoryContextReset(log->context);
}

/*
 * cascade_pending_is_armed, cascade_pending_arm
 *		Is an event queued that will look at the table's rows?  It is.
 */
bool
cascade_pending_is_armed(Oid relid)
{
	PendingTable *table = find_table(relid, false);

	return table && table->states.now.armed;
}

void
cascade_pending_arm(Oid relid)
{
	PendingTable *table = find_table(relid, true);

	save_state(&table->states);
	table->states.now.armed = true;
}

/*
 * cascade_pending_any
 *		Has the transaction logged anything?
 */
bool
cascade_pending_any(void)
{
	ListCell   *lc;

	foreach(lc, logs)
	{
		if (((PendingLog *) lfirst(lc))->states.now.nbatches > 0)
			return true;
	}
	return false;
}

/*
 * cascade_pending_on
 *		Has the transaction anything in the log of a relationship of the
 *		table?  Its keys are of the types that the relationship has now.
 */
bool
cascade_pending_on(Oid relid)
{
	ListCell   *lc;

	foreach(lc, logs)
	{
		if (is_of_table(lfirst(lc), relid) && ((PendingLog *) lfirst(lc))->states.now.nbatches > 0)
			return true;
	}
	return false;
}

static PendingLog *
find_log(Oid source, const char *name)
{
	ListCell   *lc;

	foreach(lc, logs)
	{
		PendingLog *log = lfirst(lc);

		if (log->source == source && strcmp(NameStr(log->name), name) == 0)
			return log;
	}
	return NULL;
}

static PendingLog *
make_log(const CascadeRelationship *rel)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	PendingLog *log = palloc0(sizeof(PendingLog));

	log->source = rel->source;
	log->name = rel->name;
	log->target = rel->target;
	log->secondary = rel->secondary;
	log->remembers = rel->direction == CASCADE_MANY_TO_MANY && cascade_forgives_attached(rel);
	log->context = AllocSetContextCreate(TopTransactionContext, "cascade pending checks",
										 ALLOCSET_SMALL_SIZES);
	logs = lappend(logs, log);
	MemoryContextSwitchTo(oldcontext);
	return log;
}

static PendingTable *
find_table(Oid relid, bool create)
{
	MemoryContext oldcontext;
	PendingTable *table;
	ListCell   *lc;

	foreach(lc, tables)
	{
		table = lfirst(lc);
		if (table->relid == relid)
			return table;
	}
	if (!create)
		return NULL;
	oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	table = palloc0(sizeof(PendingTable));
	table->relid = relid;
	tables = lappend(tables, table);
	MemoryContextSwitchTo(oldcontext);
	return table;
}

static bool
is_of_table(const PendingLog *log, Oid relid)
{
	return log->source == relid || log->target == relid || log->secondary == relid;
}

/*
 * Was anything added that asks for a check?  Keys that changed or were
 * attached do not, but for single_parent, and neither do links of a source
 * that is still there.
 */
static bool
is_unchecked(const PendingLog *log)
{
	for (int i = log->states.now.nchecked; i < log->states.now.nbatches; i++)
	{
		const PendingBatch *batch = list_nth(log->batches, i);

		if (batch->kind == PENDING_ROWS || batch->kind == PENDING_SOURCES_GONE ||
			(batch->kind == PENDING_LOST && (batch->due || !log->remembers)) ||
			(batch->kind == PENDING_ATTACHED && batch->due))
			return true;
	}
	return false;
}

static PendingCheck *
take(PendingLog *log)
{
	PendingCheck *check = palloc0(sizeof(PendingCheck));

	save_state(&log->states);
	check->source = log->source;
	check->name = log->name;
	check->batches = list_truncate(list_copy(log->batches), log->states.now.nbatches);
	check->nchecked = log->states.now.nchecked;
	log->states.now.nchecked = log->states.now.nbatches;
	return check;
}

/*
 * Put the state aside, once in a subtransaction; the outermost transaction
 * needs none, since nothing outlives it.
 */
static void
save_state(PendingStates *states)
{
	int			nest_level = GetCurrentTransactionNestLevel();
	PendingState *saved = states->saved == NIL ? NULL : llast(states->saved);
	MemoryContext oldcontext;

	if (nest_level == 1 || (saved && saved->nest_level >= nest_level))
		return;
	oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	saved = palloc(sizeof(PendingState));
	*saved = states->now;
	saved->nest_level = nest_level;
	states->saved = lappend(states->saved, saved);
	MemoryContextSwitchTo(oldcontext);
}

/*
 * cascade_pending_subxact_abort
 *		Bring back what was before the subtransaction.
 */
void
cascade_pending_subxact_abort(int nest_level)
{
	ListCell   *lc;

	foreach(lc, logs)
		abort_states(&((PendingLog *) lfirst(lc))->states, nest_level);
	foreach(lc, tables)
		abort_states(&((PendingTable *) lfirst(lc))->states, nest_level);
}

static void
abort_states(PendingStates *states, int nest_level)
{
	while (states->saved != NIL &&
		   ((PendingState *) llast(states->saved))->nest_level >= nest_level)
	{
		states->now = *(PendingState *) llast(states->saved);
		states->saved = list_delete_last(states->saved);
	}
}

/*
 * cascade_pending_subxact_commit
 *		What was put aside is now the parent's to bring back, unless it has
 *		put something older aside, or is the outermost transaction.
 */
void
cascade_pending_subxact_commit(int nest_level)
{
	ListCell   *lc;

	foreach(lc, logs)
		commit_states(&((PendingLog *) lfirst(lc))->states, nest_level);
	foreach(lc, tables)
		commit_states(&((PendingTable *) lfirst(lc))->states, nest_level);
}

static void
commit_states(PendingStates *states, int nest_level)
{
	PendingState *saved;
	int			n = list_length(states->saved);

	if (n == 0)
		return;
	saved = llast(states->saved);
	if (saved->nest_level < nest_level)
		return;
	if (nest_level == 2 ||
		(n > 1 && ((PendingState *) list_nth(states->saved, n - 2))->nest_level == nest_level - 1))
		states->saved = list_delete_last(states->saved);
	else
		saved->nest_level = nest_level - 1;
}

/*
 * cascade_pending_error_if_undone
 *		Before a transaction commits: error 55000 if a check was not done,
 *		because the trigger that was to see to it has gone.
 */
void
cascade_pending_error_if_undone(void)
{
	ListCell   *lc;

	foreach(lc, logs)
	{
		PendingLog *log = lfirst(lc);

		if (is_unchecked(log))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("checks of relationship \"%s\" were not done because their trigger is gone",
							NameStr(log->name)),
					 errhint("Run SET CONSTRAINTS ALL IMMEDIATE before a command that takes triggers away.")));
	}
}

/*
 * cascade_pending_reset
 *		At the end of a transaction; the memory goes with the transaction's.
 */
void
cascade_pending_reset(void)
{
	logs = NIL;
	tables = NIL;
}
