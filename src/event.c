/*-------------------------------------------------------------------------
 *
 * event.c
 *	  draining what a statement left to be done, through every depth
 *
 * One event of a statement gets here.  Its captured sets are taken, each tie
 * of their tables runs one statement, the rows of which are captured in turn,
 * and so on until no set is left: breadth first, in a loop.  Within a round
 * what the rows were tied to is noted first; then link rows go, rows are
 * deleted, keys nullified, keys follow, columns are propagated.  When nothing
 * of that is left, the relationships that are not deferred look for orphans
 * and for targets to take along, whose deletion may start it all again.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/event.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "cascade.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

/* how many steps of a path an error tells, from its ends */
#define CASCADE_PATH_STEPS	8

/*
 * CascadeRun
 *		A drain under way.  They nest when a user's trigger that a cascade
 *		fires runs a statement of its own.
 */
typedef struct CascadeRun
{
	struct CascadeRun *outer;
	uint64		id;
	CascadeCache *cache;
	List	   *old_caches;		/* that steps still point to */
	MemoryContext context;		/* lives as long as the run */
	const CascadeStep *cause;	/* of the sets under way */
	const CascadeStep *step;	/* the statement under way */
	uint64		rows;			/* touched so far, by inner runs too */
	List	   *condemned;		/* of CondemnedRows, for when all else is done */
	List	   *due;			/* of DueCheck, likewise */
	List	   *enforced;		/* references to look at when that is done too */
} CascadeRun;

/* rows that are to go whatever their keys say */
typedef struct CondemnedRows
{
	Oid			relid;
	CascadeRows *rows;
} CondemnedRows;

/* a relationship that has something to look at; the cache does not last */
typedef struct DueCheck
{
	Oid			source;
	NameData	name;
} DueCheck;

/* the sets of one table that are due together, oldest first */
typedef struct DueTable
{
	CascadeTable *table;
	const CascadeStep *cause;
	bool		deletes;		/* some are of deleted rows */
	List	   *sets;
	List	   *updated;		/* those of them of updated rows */
} DueTable;

static CascadeRun *current_run = NULL;

static void begin_run(CascadeRun *run, ErrorContextCallback *callback);
static void end_run(CascadeRun *run, ErrorContextCallback *callback);
static void drain(CascadeRun *run, uint64 first_id);
static List *group_sets(CascadeRun *run, List *sets);
static void lock_targets(CascadeRun *run, List *sets);
static void run_due(CascadeRun *run, List *due);
static void run_deletes(CascadeRun *run, List *due, CascadeAction action);
static CascadeAction tie_action(const CascadeTie *tie);
static void run_follows(CascadeRun *run, DueTable *group);
static void run_propagations(CascadeRun *run, DueTable *group);
static void note_ties(CascadeRun *run, List *due);
static void note_orphans(CascadeRun *run, DueTable *group);
static void note_references(CascadeRun *run, DueTable *group);
static void note_due(CascadeRun *run, List *rels);
static bool run_checks(CascadeRun *run);
static void tell_path(void *arg);

/*
 * cascade_event_drain
 *		Do everything that the set whose event fired, and the sets after it,
 *		ask for.
 */
void
cascade_event_drain(uint64 first_id)
{
	CascadeRun	run;
	ErrorContextCallback callback;

	begin_run(&run, &callback);
	PG_TRY();
	{
		drain(&run, first_id);
	}
	PG_FINALLY();
	{
		current_run = run.outer;
	}
	PG_END_TRY();
	end_run(&run, &callback);
}

/*
 * cascade_event_verify
 *		Do what a List of PendingCheck asks for, each statement with triggers
 *		of its own.
 */
void
cascade_event_verify(List *checks)
{
	CascadeRun	run;
	ErrorContextCallback callback;
	ListCell   *lc;

	begin_run(&run, &callback);
	PG_TRY();
	{
		foreach(lc, checks)
			cascade_verify_check(run.cache, lfirst(lc), true);
	}
	PG_FINALLY();
	{
		current_run = run.outer;
	}
	PG_END_TRY();
	end_run(&run, &callback);
}

/*
 * cascade_event_is_referenced
 *		Does a row reference the target with this key, by a many-to-one or
 *		many-to-many relationship?
 */
bool
cascade_event_is_referenced(CascadeRelationship *rel, Datum *key)
{
	CascadeRun	run;
	ErrorContextCallback callback;
	CascadeKeys *keys = cascade_keys_make(rel->reference->ncolumns, 1, false);
	uint64		n = 0;

	for (int i = 0; i < keys->ncolumns; i++)
		keys->values[i][0] = key[i];
	keys->nkeys = 1;
	begin_run(&run, &callback);
	PG_TRY();
	{
		(void) cascade_verify_unreferenced(rel, keys, &n);
	}
	PG_FINALLY();
	{
		current_run = run.outer;
	}
	PG_END_TRY();
	end_run(&run, &callback);
	return n == 0;
}

/*
 * cascade_event_run_alone
 *		Run a statement that takes no keys, outside any cascade; returns the
 *		rows it touched or found.
 */
uint64
cascade_event_run_alone(CascadeAction action, CascadeTie *tie, CascadeRelationship *rel)
{
	CascadeRun	run;
	ErrorContextCallback callback;
	CascadeStatement *stmt;
	uint64		rows = 0;

	begin_run(&run, &callback);
	PG_TRY();
	{
		stmt = cascade_statement_begin(action, tie, rel, 1, false);
		stmt->own_level = true;
		rows = cascade_event_run(stmt);
	}
	PG_FINALLY();
	{
		current_run = run.outer;
	}
	PG_END_TRY();
	end_run(&run, &callback);
	return rows;
}

/*
 * cascade_event_is_dangling
 *		Does a child hold a key of which there is no parent?
 */
bool
cascade_event_is_dangling(CascadeTie *tie, CascadeRelationship *rel)
{
	CascadeRun	run;
	ErrorContextCallback callback;
	bool		dangling = false;

	begin_run(&run, &callback);
	PG_TRY();
	{
		dangling = cascade_enforce_is_dangling(tie, rel);
	}
	PG_FINALLY();
	{
		current_run = run.outer;
	}
	PG_END_TRY();
	end_run(&run, &callback);
	return dangling;
}

/*
 * cascade_event_validate
 *		Have the rows that are there looked at, for a relationship that is
 *		being declared.
 */
void
cascade_event_validate(CascadeRelationship *rel, void (*validate) (CascadeRelationship *))
{
	CascadeRun	run;
	ErrorContextCallback callback;

	begin_run(&run, &callback);
	PG_TRY();
	{
		validate(rel);
	}
	PG_FINALLY();
	{
		current_run = run.outer;
	}
	PG_END_TRY();
	end_run(&run, &callback);
}

static void
begin_run(CascadeRun *run, ErrorContextCallback *callback)
{
	static uint64 nruns = 0;

	memset(run, 0, sizeof(CascadeRun));
	run->id = ++nruns;
	run->outer = current_run;
	run->context = AllocSetContextCreate(CurrentMemoryContext, "cascade run",
										 ALLOCSET_DEFAULT_SIZES);
	run->cache = cascade_cache_pin();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	callback->callback = tell_path;
	callback->arg = run;
	callback->previous = error_context_stack;
	error_context_stack = callback;
	current_run = run;
}

static void
end_run(CascadeRun *run, ErrorContextCallback *callback)
{
	ListCell   *lc;

	error_context_stack = callback->previous;
	SPI_finish();
	cascade_cache_unpin(run->cache);
	foreach(lc, run->old_caches)
		cascade_cache_unpin(lfirst(lc));
	if (run->outer)
		run->outer->rows += run->rows;
	else
		cascade_pending_trim();
	MemoryContextDelete(run->context);
}

static void
drain(CascadeRun *run, uint64 first_id)
{
	MemoryContext round = AllocSetContextCreate(run->context, "cascade round",
												ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcontext = MemoryContextSwitchTo(round);
	uint64		firing = first_id;

	for (;;)
	{
		List	   *sets = cascade_capture_take(first_id, firing, round);

		firing = 0;
		if (sets != NIL)
		{
			lock_targets(run, sets);
			run_due(run, group_sets(run, sets));
		}
		else if (!run_checks(run))
			break;
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(round);
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Lock all tables that the sets lead to before anything is done to them, and
 * use a cache that is true then: a declaration or a DDL command that had the
 * lock may just have been committed.
 */
static void
lock_targets(CascadeRun *run, List *sets)
{
	ListCell   *lc;
	ListCell   *lct;

	foreach(lc, sets)
	{
		CaptureSet *set = lfirst(lc);
		CascadeTable *table = cascade_cache_table(run->cache, set->relid);

		/* an update that changed nothing of ours locks nothing */
		if (table == NULL || set->nrows == 0)
			continue;
		foreach(lct, table->ties)
			LockRelationOid(((CascadeTie *) lfirst(lct))->child, RowExclusiveLock);
	}
	if (cascade_cache_is_stale(run->cache))
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(run->context);

		run->old_caches = lappend(run->old_caches, run->cache);
		run->cache = cascade_cache_pin();
		MemoryContextSwitchTo(oldcontext);
	}
}

/*
 * Sets of one table go together, so that a tie runs one statement a round,
 * however many statements of a native cascade above us wrote them.
 */
static List *
group_sets(CascadeRun *run, List *sets)
{
	List	   *due = NIL;
	ListCell   *lc;

	foreach(lc, sets)
	{
		CaptureSet *set = lfirst(lc);
		CascadeTable *table = cascade_cache_table(run->cache, set->relid);
		DueTable   *group = NULL;
		ListCell   *lcd;

		if (table == NULL || set->nrows == 0)
			continue;
		foreach(lcd, due)
		{
			group = lfirst(lcd);
			if (group->table == table)
				break;
		}
		if (lcd == NULL)
		{
			group = palloc0(sizeof(DueTable));
			group->table = table;
			group->cause = set->cause;
			due = lappend(due, group);
		}
		group->sets = lappend(group->sets, set);
		if (set->event == CAPTURE_DELETE)
			group->deletes = true;
		else if (set->event == CAPTURE_UPDATE)
			group->updated = lappend(group->updated, set);
	}
	foreach(lc, due)
		cascade_compose(((DueTable *) lfirst(lc))->sets);
	return due;
}

static void
run_due(CascadeRun *run, List *due)
{
	ListCell   *lc;

	note_ties(run, due);
	run_deletes(run, due, CASCADE_ACTION_UNLINK);
	run_deletes(run, due, CASCADE_ACTION_DELETE);
	run_deletes(run, due, CASCADE_ACTION_NULLIFY);
	foreach(lc, due)
		run_follows(run, lfirst(lc));
	foreach(lc, due)
		run_propagations(run, lfirst(lc));
}

/*
 * What is waiting for a check is noted before anything is changed: first what
 * was lost, then what has another key, then what was gained.
 */
static void
note_ties(CascadeRun *run, List *due)
{
	ListCell   *lc;

	foreach(lc, due)
	{
		DueTable   *group = lfirst(lc);

		cascade_references_lost(group->table, group->sets);
		if (group->deletes)
			cascade_origins_gone(group->table, group->sets);
	}
	foreach(lc, due)
	{
		DueTable   *group = lfirst(lc);

		if (group->updated != NIL)
			cascade_references_rekeyed(group->table, group->updated);
		if (group->deletes)
			cascade_references_gone(group->table, group->sets);
	}
	foreach(lc, due)
	{
		DueTable   *group = lfirst(lc);

		cascade_references_attached(group->table, group->sets);
		note_orphans(run, group);
		note_due(run, group->table->references);
		note_due(run, group->table->origins);
		note_due(run, group->table->losing);
		note_references(run, group);
	}
}

/*
 * References that are enforced are looked at last.
 */
static void
note_references(CascadeRun *run, DueTable *group)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(run->context);

	run->enforced = cascade_enforce_collect(run->enforced, group->table, group->sets);
	MemoryContextSwitchTo(oldcontext);
}

static void
note_orphans(CascadeRun *run, DueTable *group)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(run->context);
	ListCell   *lc;

	foreach(lc, group->updated)
	{
		CascadeRows *rows = cascade_orphans_collect(lfirst(lc), group->table);
		CondemnedRows *condemned;

		if (rows->n == 0)
			continue;
		condemned = palloc(sizeof(CondemnedRows));
		condemned->relid = group->table->relid;
		condemned->rows = rows;
		run->condemned = lappend(run->condemned, condemned);
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Relationships that are not deferred are verified when all else is done.
 */
static void
note_due(CascadeRun *run, List *rels)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(run->context);
	ListCell   *lc;
	ListCell   *lcd;

	foreach(lc, rels)
	{
		CascadeRelationship *rel = lfirst(lc);
		DueCheck   *check;

		if (rel->deferred || !cascade_pending_logged(rel))
			continue;
		foreach(lcd, run->due)
		{
			check = lfirst(lcd);
			if (check->source == rel->source && strcmp(NameStr(check->name), NameStr(rel->name)) == 0)
				break;
		}
		if (lcd != NULL)
			continue;
		check = palloc(sizeof(DueCheck));
		check->source = rel->source;
		check->name = rel->name;
		run->due = lappend(run->due, check);
	}
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Delete what was condemned, and verify what is due, at last the references
 * that are enforced; false if there is nothing.
 */
static bool
run_checks(CascadeRun *run)
{
	List	   *condemned = run->condemned;
	List	   *due = run->due;
	ListCell   *lc;

	if (condemned == NIL && due == NIL)
	{
		List	   *enforced = run->enforced;

		run->enforced = NIL;
		cascade_enforce_check(run->cache, enforced);
		return enforced != NIL;
	}
	run->condemned = run->due = NIL;
	foreach(lc, condemned)
	{
		CondemnedRows *rows = lfirst(lc);
		CascadeTable *table = cascade_cache_table(run->cache, rows->relid);

		if (table != NULL && table->losing != NIL)
			cascade_orphans_remove(table, rows->rows);
	}
	foreach(lc, due)
	{
		DueCheck   *check = lfirst(lc);
		CascadeRelationship *rel = cascade_cache_relationship(run->cache, check->source,
															  NameStr(check->name));
		PendingCheck *pending = rel ? cascade_pending_take(rel) : NULL;

		if (pending)
			cascade_verify_check(run->cache, pending, false);
	}
	return true;
}

static void
run_deletes(CascadeRun *run, List *due, CascadeAction action)
{
	ListCell   *lc;
	ListCell   *lct;

	foreach(lc, due)
	{
		DueTable   *group = lfirst(lc);

		if (!group->deletes)
			continue;
		run->cause = group->cause;
		foreach(lct, group->table->ties)
		{
			CascadeTie *tie = lfirst(lct);

			if (tie_action(tie) == action)
				cascade_action_delete(group->sets, tie, action);
		}
	}
}

/*
 * What becomes of the children of deleted rows: delete wins over nullify,
 * nullify over nothing.
 */
static CascadeAction
tie_action(const CascadeTie *tie)
{
	if (tie->unlink_by)
		return CASCADE_ACTION_UNLINK;
	if (tie->delete_by)
		return CASCADE_ACTION_DELETE;
	return tie->nullify_by ? CASCADE_ACTION_NULLIFY : CASCADE_ACTION_MATCH;
}

static void
run_follows(CascadeRun *run, DueTable *group)
{
	ListCell   *lc;

	if (group->updated == NIL)
		return;
	run->cause = group->cause;
	foreach(lc, group->table->ties)
	{
		CascadeTie *tie = lfirst(lc);

		if (tie->follow_by)
			cascade_action_follow(group->updated, tie);
	}
}

static void
run_propagations(CascadeRun *run, DueTable *group)
{
	ListCell   *lc;

	run->cause = group->cause;
	foreach(lc, group->table->propagations)
		cascade_action_propagate(group->updated, lfirst(lc));
}

/*
 * cascade_event_run
 *		Run a statement as a step of the run; returns the rows it touched.
 */
uint64
cascade_event_run(CascadeStatement *stmt)
{
	CascadeStep *step = MemoryContextAlloc(current_run->context, sizeof(CascadeStep));
	uint64		rows;

	step->cause = current_run->cause;
	step->trigger_depth = DatumGetInt32(pg_trigger_depth(NULL));
	step->action = stmt->action;
	step->tie = stmt->tie;
	step->rel = stmt->rel;
	current_run->step = step;
	rows = cascade_statement_run(stmt);
	current_run->step = NULL;
	return rows;
}

/*
 * cascade_event_current_step
 *		The step whose statement writes rows now; NULL if none of ours does.
 */
const CascadeStep *
cascade_event_current_step(void)
{
	return current_run ? current_run->step : NULL;
}

/*
 * cascade_event_current_run
 *		A number for the drain under way, which tells it from others.
 */
uint64
cascade_event_current_run(void)
{
	return current_run->id;
}

/*
 * cascade_event_count_rows
 *		Hold the rows that a cascade has touched against cascade.max_rows.
 *		Error 54000 if they are more.
 */
void
cascade_event_count_rows(uint64 rows)
{
	uint64		total = 0;

	current_run->rows += rows;
	for (CascadeRun *run = current_run; run != NULL; run = run->outer)
		total += run->rows;
	if (cascade_max_rows > 0 && total > (uint64) cascade_max_rows)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cascade touches more rows than cascade.max_rows allows"),
				 errdetail("It has come to %llu rows; %d are allowed.",
						   (unsigned long long) total, cascade_max_rows),
				 errhint("Raise cascade.max_rows, or write fewer rows in one statement.")));
}

/*
 * cascade_event_reset
 *		At the end of a transaction, forget the runs that errors left.
 */
void
cascade_event_reset(void)
{
	current_run = NULL;
}

/*
 * Error context: the relationship under way, and the way that led to it, its
 * middle left out if it is long.
 */
static void
tell_path(void *arg)
{
	CascadeRun *run = arg;
	const CascadeStep *step = run->step;
	StringInfoData path;
	int			length = 0;
	int			pos = 0;

	if (step == NULL)
		return;
	initStringInfo(&path);
	for (const CascadeStep *s = step; s != NULL; s = s->cause)
		length++;
	for (const CascadeStep *s = step; s != NULL; s = s->cause, pos++)
	{
		if (pos >= CASCADE_PATH_STEPS && pos < length - 1)
		{
			if (pos == CASCADE_PATH_STEPS)
				appendStringInfoString(&path, ", ...");
			continue;
		}
		appendStringInfo(&path, "%s%s.%s", pos > 0 ? ", from " : "",
						 NameStr(s->rel->source_name), NameStr(s->rel->name));
	}
	errcontext("cascade %s along %s", cascade_action_word(step->action), path.data);
}
