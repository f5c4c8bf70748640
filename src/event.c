/*-------------------------------------------------------------------------
 *
 * event.c
 *	  draining what a statement left to be done, through every depth
 *
 * One event of a statement gets here.  Its captured sets are taken, each tie
 * of their tables runs one statement, the rows of which are captured in turn,
 * and so on until no set is left: breadth first, in a loop.  The order within
 * a round is that of SPEC: rows are deleted, keys nullified, keys follow,
 * columns are propagated; when nothing of that is left, orphans are looked
 * at, whose deletion may start it all again.
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
	CascadeCache *cache;
	List	   *old_caches;		/* that steps still point to */
	MemoryContext context;		/* lives as long as the run */
	const CascadeStep *cause;	/* of the sets under way */
	const CascadeStep *step;	/* the statement under way */
	uint64		rows;			/* touched so far, by inner runs too */
	List	   *checks;			/* of PendingCheck, for when all else is done */
} CascadeRun;

/* the sets of one table that are due together, oldest first */
typedef struct DueTable
{
	CascadeTable *table;
	const CascadeStep *cause;
	bool		deletes;		/* some are of deleted rows */
	List	   *sets;
	List	   *updated;		/* those of updated rows */
} DueTable;

static CascadeRun *current_run = NULL;

static void begin_run(CascadeRun *run, ErrorContextCallback *callback);
static void end_run(CascadeRun *run, ErrorContextCallback *callback);
static void drain(CascadeRun *run, uint64 first_id);
static List *group_sets(CascadeRun *run, List *sets);
static void lock_targets(CascadeRun *run, List *sets);
static void run_due(CascadeRun *run, List *due);
static void run_deletes(CascadeRun *run, List *due, CascadeAction action);
static void run_follows(CascadeRun *run, DueTable *group);
static void run_propagations(CascadeRun *run, DueTable *group);
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
 * cascade_event_check
 *		Delete the orphans among the rows of a List of PendingCheck, each
 *		relationship's with a statement of its own.
 */
void
cascade_event_check(List *checks)
{
	CascadeRun	run;
	ErrorContextCallback callback;
	ListCell   *lc;

	begin_run(&run, &callback);
	PG_TRY();
	{
		foreach(lc, checks)
			cascade_orphans_delete(run.cache, lfirst(lc), true);
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
	memset(run, 0, sizeof(CascadeRun));
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
		else if (run->checks != NIL)
		{
			List	   *checks = run->checks;
			ListCell   *lc;

			run->checks = NIL;
			foreach(lc, checks)
				cascade_orphans_delete(run->cache, lfirst(lc), false);
		}
		else
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
			LockRelationOid(((CascadeTie *) lfirst(lct))->target, RowExclusiveLock);
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
		else
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

	run_deletes(run, due, CASCADE_ACTION_DELETE);
	run_deletes(run, due, CASCADE_ACTION_NULLIFY);
	foreach(lc, due)
		run_follows(run, lfirst(lc));
	foreach(lc, due)
		run_propagations(run, lfirst(lc));
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
			bool		deletes = tie->delete_by != NULL;

			if (action == CASCADE_ACTION_DELETE ? deletes : !deletes && tie->nullify_by)
				cascade_action_delete(group->sets, tie, action);
		}
	}
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

/*
 * Propagate, and note the rows that may be orphans for when all else is done.
 */
static void
run_propagations(CascadeRun *run, DueTable *group)
{
	MemoryContext oldcontext;
	ListCell   *lc;

	run->cause = group->cause;
	foreach(lc, group->table->propagations)
		cascade_action_propagate(group->updated, lfirst(lc));
	oldcontext = MemoryContextSwitchTo(run->context);
	foreach(lc, group->updated)
		run->checks = cascade_orphans_collect(run->checks, lfirst(lc), group->table->orphans);
	MemoryContextSwitchTo(oldcontext);
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
	step->action = stmt->action;
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
