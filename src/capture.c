/*-------------------------------------------------------------------------
 *
 * capture.c
 *	  taking the keys of the rows that a statement writes
 *
 * Our triggers are
 *
 *		AFTER DELETE ... FOR EACH ROW WHEN (cascade.capture(old.tableoid,
 *			old.ctid, old.a, ...)) EXECUTE FUNCTION cascade.run()
 *
 * PostgreSQL evaluates the condition for each row at the time it would queue
 * the row's event.  capture() copies the key columns and is true for the
 * first row only, so that the whole statement queues one event.  (INSERT and
 * UPDATE likewise, with columns of NEW.)  When that
 * event fires, before those of the foreign keys because of the triggers'
 * names, everything the statement wrote has been captured.  Against a
 * transition table this saves an event per row and the copy of each whole
 * row, costs nothing on an UPDATE that names no column of ours, and works on
 * any kind of table.
 *
 * What is captured by one execution of one statement on one table is a
 * CaptureSet.  Sets are kept in order of creation, until their event fires.
 * Statements nest (a trigger's function runs others), and an inner one ends
 * before the outer one goes on; so when an event fires, its set and all
 * younger ones are due, and older ones belong to statements that are still
 * running.  The events of sets that were drained by an older one's find
 * nothing left to do.
 *
 * A row that an UPDATE moves to another partition is deleted from one and
 * inserted into the other.  The two are put together again: an INSERT looks
 * whether the last row that the same execution deleted says of itself that it
 * was moved.  (PostgreSQL evaluates the conditions of the partitioned table's
 * own UPDATE triggers for such a row as well, without queueing them; there
 * the row has no address, and we look away.)
 *
 * The condition runs as whoever writes the table, so the functions can be
 * executed by everyone, and must not believe their arguments.  They look at
 * the expression they are called in: columns of OLD and NEW, as the trigger
 * manager numbers them, are found nowhere else, and old.tableoid tells the
 * table truly.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/capture.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "cascade.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "nodes/primnodes.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * CaptureCall
 *		What a condition learned from its own expression; one for each
 *		execution of a statement, kept in fn_extra.
 */
typedef struct CaptureCall
{
	CaptureEvent event;
	bool		elsewhere;		/* rows that partitions' triggers see as well */
	Oid			relid;			/* the declared table ... */
	Oid			leaf;			/* ... and the one that is written */
	int			tableoid_arg;
	int			old_tid_arg;	/* -1 if not passed, as below */
	int			new_tid_arg;
	int			ncolumns;
	AttrNumber *attnos;			/* in relid */
	int		   *old_arg;		/* -1 throughout in an INSERT trigger */
	int		   *new_arg;		/* -1 throughout in a DELETE trigger */
	bool	   *typbyval;
	int16	   *typlen;
	bool		partition;		/* inserts: the row may have been moved here */
	bool		attaches;		/* ... references count if others were lost */
	bool		attaches_alone; /* ... they count by themselves */
	CaptureSet *set;			/* where the rows go ... */
	uint64		set_id;
	uint64		epoch;			/* ... if no set has gone since */
	List	   *guards;			/* of CaptureGuard, for to_verify() */
} CaptureCall;

/* a key of the table that a deferred relationship guards */
typedef struct CaptureGuard
{
	bool		losing;			/* a target's own key, that must become NULL */
	bool		gains;			/* coming to hold a key matters too */
	int			nkeys;
	int			ncolumns;		/* keys, and discriminators behind them */
	int		   *columns;		/* of the call */
} CaptureGuard;

/* a set that was drained before its own event fired */
typedef struct DrainedSet
{
	Oid			leaf;
	CaptureEvent event;
	ItemPointerData tid;
	bool		fired;
} DrainedSet;

/*
 * The sets that one drain took, in the order in which their events fire.
 * Drains nest as statements do, so the youngest queue's events come first.
 */
typedef struct DrainedQueue
{
	uint64		first_id;		/* of the drain */
	int			nest_level;
	uint64		head;			/* all before it have fired */
	uint64		tail;
	uint64		capacity;
	DrainedSet *sets;
} DrainedQueue;

typedef struct CaptureNode
{
	dlist_node	node;
	CaptureSet	set;
} CaptureNode;

static dlist_head captured = DLIST_STATIC_INIT(captured);	/* of CaptureNode */
static uint64 next_set_id = 1;
static uint64 capture_epoch = 1;	/* changes when a set goes */
static List *drained = NIL;		/* in TopTransactionContext; of DrainedQueue */

static CaptureCall *begin_call(FunctionCallInfo fcinfo, bool verifies);
static void parse_arguments(FunctionCallInfo fcinfo, CaptureCall *call);
static void place_argument(CaptureCall *call, int arg, Var *var);
static void check_arguments(const CaptureCall *call, bool verifies);
static void find_relation(FunctionCallInfo fcinfo, CaptureCall *call);
static void check_triggers(Oid relid, Oid function);
pg_noreturn static void error_not_in_condition(void);
static CascadeTable *declared_table(CascadeCache *cache, Oid relid);
static int	find_column(Oid relid, const AttrNumber *attnos, int ncolumns, AttrNumber attno);
static void find_insert_uses(CaptureCall *call);
static bool insert_matters(const CaptureCall *call);
static void find_guards(FunctionCallInfo fcinfo, CaptureCall *call);
static void add_guard(CaptureCall *call, CascadeRelationship *rel, CascadeTie *tie, bool parent);
static bool guard_matters(FunctionCallInfo fcinfo, const CaptureCall *call,
						  const CaptureGuard *guard);
static bool find_set(FunctionCallInfo fcinfo, CaptureCall *call);
static CaptureSet *make_set(const CaptureCall *call, ItemPointer first);
static void enlarge_set(CaptureSet *set);
static Datum copy_argument(FunctionCallInfo fcinfo, CaptureSet *set, int column, int arg);
static void join_moved_row(FunctionCallInfo fcinfo, CaptureCall *call);
static CaptureSet *find_deleted(const CaptureCall *call, MemoryContext execution);
static bool row_was_moved(Oid leaf, ItemPointer tid);
static void add_moved_row(FunctionCallInfo fcinfo, CaptureCall *call, CaptureSet *deleted);
static void capture_row(FunctionCallInfo fcinfo, CaptureCall *call, bool is_condemned);
static bool row_changed(FunctionCallInfo fcinfo, CaptureCall *call);
static bool row_condemned(FunctionCallInfo fcinfo, CaptureCall *call);
static bool value_changed(FunctionCallInfo fcinfo, const CaptureCall *call, int column);
static bool same_tid(const ItemPointerData *a, const ItemPointerData *b);
static void remember_drained(const CaptureSet *set, uint64 first_id);
static bool forget_drained(Oid leaf, CaptureEvent event, ItemPointer tid);
static void forget_set(CaptureNode *node);

PG_FUNCTION_INFO_V1(cascade_capture);
PG_FUNCTION_INFO_V1(cascade_to_verify);

/*
 * cascade.capture(VARIADIC "any") RETURNS boolean
 *		The condition of CASCADE_delete, CASCADE_insert and CASCADE_update.
 *
 * Arguments are old.tableoid, old.ctid and columns of OLD for a DELETE
 * trigger, new.tableoid, new.ctid and columns of NEW for an INSERT trigger,
 * old.tableoid, both ctids and columns of both for an UPDATE trigger.  True
 * for the first row of a statement.  Errors 39P01 if called anywhere else than
 * in a trigger's condition, 55000 if nothing is declared on the table.
 */
Datum
cascade_capture(PG_FUNCTION_ARGS)
{
	CaptureCall *call;
	bool		first;
	bool		is_condemned = false;

	if (!cascade_enabled)
		PG_RETURN_BOOL(false);
	call = fcinfo->flinfo->fn_extra;
	if (call == NULL)
		call = begin_call(fcinfo, false);
	if (call->elsewhere)
		PG_RETURN_BOOL(false);
	if (call->event == CAPTURE_INSERT)
	{
		if (call->partition)
			join_moved_row(fcinfo, call);
		if (!insert_matters(call))
			PG_RETURN_BOOL(false);
	}

	first = find_set(fcinfo, call);
	if (call->set->watches_orphans)
		is_condemned = row_condemned(fcinfo, call);
	if (call->event != CAPTURE_UPDATE || is_condemned || row_changed(fcinfo, call))
		capture_row(fcinfo, call, is_condemned);
	PG_RETURN_BOOL(first);
}

/*
 * cascade.to_verify(VARIADIC "any") RETURNS boolean
 *		The condition of the triggers CASCADE_verify_*.
 *
 * Arguments are old.tableoid (new.tableoid for INSERT), and key columns of
 * OLD, NEW or both.  True for a row that a deferred relationship has to look
 * at, where no event is queued that will.  Errors as above.
 */
Datum
cascade_to_verify(PG_FUNCTION_ARGS)
{
	CaptureCall *call;
	ListCell   *lc;

	if (!cascade_enabled)
		PG_RETURN_BOOL(false);
	call = fcinfo->flinfo->fn_extra;
	if (call == NULL)
	{
		call = begin_call(fcinfo, true);
		if (!call->elsewhere)
			find_guards(fcinfo, call);
	}
	if (call->elsewhere || cascade_pending_is_armed(call->relid))
		PG_RETURN_BOOL(false);
	foreach(lc, call->guards)
	{
		if (guard_matters(fcinfo, call, lfirst(lc)))
		{
			cascade_pending_arm(call->relid);
			PG_RETURN_BOOL(true);
		}
	}
	PG_RETURN_BOOL(false);
}

/*
 * First row of an execution: learn which argument is which, and of which
 * table it is.
 */
static CaptureCall *
begin_call(FunctionCallInfo fcinfo, bool verifies)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	CaptureCall *call = palloc0(sizeof(CaptureCall));

	parse_arguments(fcinfo, call);
	check_arguments(call, verifies);
	find_relation(fcinfo, call);
	if (!call->elsewhere)
		check_triggers(call->leaf, fcinfo->flinfo->fn_oid);
	if (!verifies && !call->elsewhere && call->event == CAPTURE_INSERT)
		find_insert_uses(call);
	MemoryContextSwitchTo(oldcontext);
	fcinfo->flinfo->fn_extra = call;
	return call;
}

/*
 * The trigger manager numbers OLD as INNER_VAR and NEW as OUTER_VAR in both
 * varno and varnosyn.  The planner does that to varno only, so the pair
 * proves that a trigger's condition calls us, with the row it is about.
 */
static void
parse_arguments(FunctionCallInfo fcinfo, CaptureCall *call)
{
	Node	   *expr = fcinfo->flinfo->fn_expr;
	List	   *args;
	ListCell   *lc;

	if (expr == NULL || !IsA(expr, FuncExpr))
		error_not_in_condition();
	args = ((FuncExpr *) expr)->args;
	call->tableoid_arg = call->old_tid_arg = call->new_tid_arg = -1;
	call->attnos = palloc(sizeof(AttrNumber) * list_length(args));
	call->old_arg = palloc(sizeof(int) * list_length(args));
	call->new_arg = palloc(sizeof(int) * list_length(args));
	call->typbyval = palloc(sizeof(bool) * list_length(args));
	call->typlen = palloc(sizeof(int16) * list_length(args));
	foreach(lc, args)
	{
		Node	   *arg = lfirst(lc);

		if (!IsA(arg, Var))
			error_not_in_condition();
		place_argument(call, foreach_current_index(lc), (Var *) arg);
	}
}

/*
 * Which rows the columns are of tells the event; the rest must fit it.
 */
static void
check_arguments(const CaptureCall *call, bool verifies)
{
	bool		has_old = call->ncolumns > 0 && call->old_arg[0] >= 0;
	bool		has_new = call->ncolumns > 0 && call->new_arg[0] >= 0;

	if (call->tableoid_arg < 0 || call->ncolumns == 0)
		error_not_in_condition();
	if (!verifies && (has_old != (call->old_tid_arg >= 0) ||
					  has_new != (call->new_tid_arg >= 0)))
		error_not_in_condition();
	for (int i = 0; i < call->ncolumns; i++)
	{
		if (has_old != (call->old_arg[i] >= 0) || has_new != (call->new_arg[i] >= 0))
			error_not_in_condition();
	}
}

/*
 * The declared table, which of a partition is the root of its tree; there the
 * columns may have other numbers.
 */
static void
find_relation(FunctionCallInfo fcinfo, CaptureCall *call)
{
	bool		has_old = call->old_arg[0] >= 0;
	bool		has_new = call->new_arg[0] >= 0;

	call->event = !has_new ? CAPTURE_DELETE : !has_old ? CAPTURE_INSERT : CAPTURE_UPDATE;
	call->leaf = PG_ARGISNULL(call->tableoid_arg) ? InvalidOid : PG_GETARG_OID(call->tableoid_arg);
	if (!OidIsValid(call->leaf) || get_rel_relkind(call->leaf) == RELKIND_PARTITIONED_TABLE)
	{
		call->elsewhere = true;
		return;
	}
	call->relid = cascade_partition_root(call->leaf);
	if (call->relid != call->leaf)
	{
		call->partition = true;
		for (int i = 0; i < call->ncolumns; i++)
			call->attnos[i] = get_attnum(call->relid,
										 get_attname(call->leaf, call->attnos[i], false));
	}
}

/*
 * Our conditions belong to triggers that call our functions, which find out
 * whether they were fired for the right event.  Whoever may create a trigger
 * on a declared table could have put one before another function, and have
 * rows cascade that were neither deleted nor updated.
 */
static void
check_triggers(Oid relid, Oid function)
{
	Relation	rel = table_open(relid, NoLock);
	CascadeCache *cache = cascade_cache_pin();
	Oid			run;
	Oid			verify;
	char	   *mention = NULL;

	cascade_cache_function_oids(cache, &run, &verify);
	cascade_cache_unpin(cache);
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgqual == NULL || trigger->tgfoid == run ||
			(trigger->tgfoid == verify && trigger->tgdeferrable))
			continue;
		if (mention == NULL)
			mention = psprintf(":funcid %u ", function);
		if (strstr(trigger->tgqual, mention) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("trigger \"%s\" on table \"%s\" uses a condition that belongs to the triggers of extension \"cascade\"",
							trigger->tgname, RelationGetRelationName(rel)),
					 errhint("Drop the trigger."),
					 errtable(rel)));
	}
	table_close(rel, NoLock);
}

static void
place_argument(CaptureCall *call, int arg, Var *var)
{
	bool		is_old = var->varno == INNER_VAR && (int) var->varnosyn == INNER_VAR;
	bool		is_new = var->varno == OUTER_VAR && (int) var->varnosyn == OUTER_VAR;
	int			i;

	if (!is_old && !is_new)
		error_not_in_condition();
	if (var->varattno == TableOidAttributeNumber)
		call->tableoid_arg = arg;
	else if (var->varattno == SelfItemPointerAttributeNumber)
	{
		if (is_old)
			call->old_tid_arg = arg;
		else
			call->new_tid_arg = arg;
	}
	else if (var->varattno > 0)
	{
		for (i = 0; i < call->ncolumns; i++)
		{
			if (call->attnos[i] == var->varattno)
				break;
		}
		if (i == call->ncolumns)
		{
			call->attnos[i] = var->varattno;
			call->old_arg[i] = call->new_arg[i] = -1;
			get_typlenbyval(var->vartype, &call->typlen[i], &call->typbyval[i]);
			call->ncolumns++;
		}
		if (is_old)
			call->old_arg[i] = arg;
		else
			call->new_arg[i] = arg;
	}
	else
		error_not_in_condition();
}

static void
error_not_in_condition(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("cascade.capture can only be called by the condition of a trigger"),
			 errhint("These triggers are made by cascade.add_relationship.")));
}

/*
 * A trigger of ours that cannot act must say so.
 */
static CascadeTable *
declared_table(CascadeCache *cache, Oid relid)
{
	CascadeTable *table = cascade_cache_table(cache, relid);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no relationship of table \"%s\" is declared, but it has triggers of extension \"cascade\"",
						get_rel_name(relid)),
				 errdetail("The rows of cascade.relationship may have been left out of a restore."),
				 errhint("Declare its relationships again with cascade.add_relationship, or drop the triggers.")));
	return table;
}

/*
 * What a table's inserted rows are captured for.
 */
static void
find_insert_uses(CaptureCall *call)
{
	CascadeCache *cache = cascade_cache_pin();
	CascadeTable *table = declared_table(cache, call->relid);
	ListCell   *lc;

	call->attaches_alone = table->enforced != NIL;
	foreach(lc, table->references)
	{
		CascadeRelationship *rel = lfirst(lc);

		call->attaches_alone |= rel->single_parent;
		call->attaches |= cascade_forgives_attached(rel);
	}
	cascade_cache_unpin(cache);
}

/*
 * A row that comes to reference a target forgives what was lost before; there
 * must be something to forgive.
 */
static bool
insert_matters(const CaptureCall *call)
{
	return call->attaches_alone ||
		(call->attaches && (!dlist_is_empty(&captured) || cascade_pending_any()));
}

/*
 * Make call->set the set that takes this execution's rows; true if it was
 * made for this row.
 */
static bool
find_set(FunctionCallInfo fcinfo, CaptureCall *call)
{
	dlist_iter	iter;

	if (call->set != NULL && call->epoch == capture_epoch)
		return false;
	/* some set has gone; is it ours? */
	if (call->set != NULL)
	{
		dlist_foreach(iter, &captured)
		{
			if (dlist_container(CaptureNode, node, iter.cur)->set.id == call->set_id)
			{
				call->epoch = capture_epoch;
				return false;
			}
		}
	}
	call->set = make_set(call, (ItemPointer)
						 PG_GETARG_POINTER(call->event == CAPTURE_INSERT ?
										   call->new_tid_arg : call->old_tid_arg));
	call->set->queued = true;
	call->set->execution = fcinfo->flinfo->fn_mcxt;
	call->set_id = call->set->id;
	call->epoch = capture_epoch;
	return true;
}

/*
 * A set for what this call captures, behind all others.
 */
static CaptureSet *
make_set(const CaptureCall *call, ItemPointer first)
{
	MemoryContext context = AllocSetContextCreate(TopTransactionContext, "cascade captured keys",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcontext = MemoryContextSwitchTo(context);
	CaptureNode *node = palloc0(sizeof(CaptureNode));
	CaptureSet *set = &node->set;
	CascadeCache *cache;

	set->id = next_set_id++;
	set->relid = call->relid;
	set->leaf = call->leaf;
	set->event = call->event;
	set->first = *first;
	set->nest_level = GetCurrentTransactionNestLevel();
	set->cause = cascade_event_current_step();
	set->own = set->cause != NULL &&
		set->cause->trigger_depth == DatumGetInt32(pg_trigger_depth(NULL));
	set->context = context;
	set->ncolumns = call->ncolumns;
	set->attnos = memcpy(palloc(sizeof(AttrNumber) * call->ncolumns),
						 call->attnos, sizeof(AttrNumber) * call->ncolumns);
	set->typbyval = memcpy(palloc(sizeof(bool) * call->ncolumns),
						   call->typbyval, sizeof(bool) * call->ncolumns);
	set->typlen = memcpy(palloc(sizeof(int16) * call->ncolumns),
						 call->typlen, sizeof(int16) * call->ncolumns);

	cache = cascade_cache_pin();
	set->watches_orphans = declared_table(cache, set->relid)->losing != NIL &&
		set->event == CAPTURE_UPDATE;
	cascade_cache_unpin(cache);
	MemoryContextSwitchTo(oldcontext);

	dlist_push_tail(&captured, &node->node);
	return set;
}

/*
 * A row has come to a partition.  If it was deleted from another just before,
 * by an UPDATE that moves it, make the two an update.
 */
static void
join_moved_row(FunctionCallInfo fcinfo, CaptureCall *call)
{
	CaptureSet *deleted = find_deleted(call, fcinfo->flinfo->fn_mcxt);

	if (deleted && row_was_moved(deleted->leaf, &deleted->old_tids[deleted->nrows - 1]))
		add_moved_row(fcinfo, call, deleted);
}

/*
 * The set with the last row that this execution deleted from the same tree.
 */
static CaptureSet *
find_deleted(const CaptureCall *call, MemoryContext execution)
{
	CaptureSet *last = NULL;
	dlist_iter	iter;

	dlist_foreach(iter, &captured)
	{
		CaptureSet *set = &dlist_container(CaptureNode, node, iter.cur)->set;

		if (set->event == CAPTURE_DELETE && set->execution == execution &&
			set->relid == call->relid && set->nrows > 0 &&
			(last == NULL || set->last_row > last->last_row))
			last = set;
	}
	return last;
}

/*
 * Says the deleted row of itself that it is now in another partition?
 */
static bool
row_was_moved(Oid leaf, ItemPointer tid)
{
	Relation	rel;
	TupleTableSlot *slot;
	bool		moved = false;

	/* a row of a foreign table has no address */
	if (!ItemPointerIsValid(tid))
		return false;
	rel = table_open(leaf, NoLock);
	slot = table_slot_create(rel, NULL);

	if (table_tuple_fetch_row_version(rel, tid, SnapshotAny, slot) && TTS_IS_BUFFERTUPLE(slot))
		moved = HeapTupleHeaderIndicatesMovedPartitions(ExecFetchSlotHeapTuple(slot, false, NULL)->t_data);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	return moved;
}

/*
 * Take the row from the deleted ones and put it, with its new values, among
 * those that were moved from that partition.  Their set needs no event of its
 * own: it is younger than that of the deleted ones.
 */
static void
add_moved_row(FunctionCallInfo fcinfo, CaptureCall *call, CaptureSet *deleted)
{
	CaptureCall moved = *call;
	CaptureSet *set = NULL;
	uint64		from = (deleted->nrows - 1) * deleted->ncolumns;
	dlist_iter	iter;

	dlist_foreach(iter, &captured)
	{
		CaptureSet *other = &dlist_container(CaptureNode, node, iter.cur)->set;

		if (!other->queued && other->leaf == deleted->leaf && other->id > deleted->id &&
			other->execution == deleted->execution)
			set = other;
	}
	moved.event = CAPTURE_UPDATE;
	moved.leaf = deleted->leaf;
	if (set == NULL)
	{
		set = make_set(&moved, &deleted->first);
		set->execution = deleted->execution;
	}
	if (set->nrows == set->capacity)
		enlarge_set(set);
	for (int i = 0; i < set->ncolumns; i++)
	{
		uint64		to = set->nrows * set->ncolumns + i;
		int			column = cascade_capture_column(deleted, set->attnos[i]);

		set->old_nulls[to] = deleted->old_nulls[from + column];
		if (!set->old_nulls[to])
		{
			MemoryContext oldcontext = MemoryContextSwitchTo(set->context);

			set->old_values[to] = datumCopy(deleted->old_values[from + column],
											set->typbyval[i], set->typlen[i]);
			MemoryContextSwitchTo(oldcontext);
		}
		set->new_nulls[to] = PG_ARGISNULL(call->new_arg[i]);
		set->new_values[to] = copy_argument(fcinfo, set, i, call->new_arg[i]);
	}
	set->old_tids[set->nrows] = deleted->old_tids[deleted->nrows - 1];
	set->new_tids[set->nrows] = *(ItemPointer) PG_GETARG_POINTER(call->new_tid_arg);
	set->new_leaves[set->nrows] = call->leaf;
	set->nrows++;
	deleted->nrows--;
	if (set->watches_orphans)
	{
		Bitmapset  *columns = cascade_keep_take(deleted->leaf, &set->old_tids[set->nrows - 1]);
		bool		holds = columns != NULL;

		for (int i = 0; i < set->ncolumns; i++)
		{
			if (bms_is_member(set->attnos[i], columns))
				holds &= !cascade_capture_changed(set, set->nrows - 1, i);
		}
		set->condemned[set->nrows - 1] = holds;
		bms_free(columns);
	}
}

/*
 * Has any captured column of an updated row changed, byte for byte?
 */
static bool
row_changed(FunctionCallInfo fcinfo, CaptureCall *call)
{
	for (int i = 0; i < call->ncolumns; i++)
	{
		if (value_changed(fcinfo, call, i))
			return true;
	}
	return false;
}

static bool
value_changed(FunctionCallInfo fcinfo, const CaptureCall *call, int column)
{
	int			old = call->old_arg[column];
	int			new = call->new_arg[column];

	if (PG_ARGISNULL(old) != PG_ARGISNULL(new))
		return true;
	return !PG_ARGISNULL(old) &&
		!datum_image_eq(PG_GETARG_DATUM(old), PG_GETARG_DATUM(new),
						call->typbyval[column], call->typlen[column]);
}

/*
 * Make an array longer, or make it.
 */
static void *
enlarge(CaptureSet *set, void *array, Size elemsize)
{
	if (array == NULL)
		return MemoryContextAllocHuge(set->context, set->capacity * elemsize);
	return repalloc_huge(array, set->capacity * elemsize);
}

static void
enlarge_set(CaptureSet *set)
{
	Size		ncolumns = set->ncolumns;

	set->capacity = set->capacity == 0 ? 4 : set->capacity * 2;
	if (set->event != CAPTURE_INSERT)
	{
		set->old_values = enlarge(set, set->old_values, sizeof(Datum) * ncolumns);
		set->old_nulls = enlarge(set, set->old_nulls, sizeof(bool) * ncolumns);
		set->old_tids = enlarge(set, set->old_tids, sizeof(ItemPointerData));
	}
	if (set->event != CAPTURE_DELETE)
	{
		set->new_values = enlarge(set, set->new_values, sizeof(Datum) * ncolumns);
		set->new_nulls = enlarge(set, set->new_nulls, sizeof(bool) * ncolumns);
		set->new_tids = enlarge(set, set->new_tids, sizeof(ItemPointerData));
	}
	if (!set->queued)
		set->new_leaves = enlarge(set, set->new_leaves, sizeof(Oid));
	if (set->watches_orphans)
		set->condemned = enlarge(set, set->condemned, sizeof(bool));
}

static Datum
copy_argument(FunctionCallInfo fcinfo, CaptureSet *set, int column, int arg)
{
	MemoryContext oldcontext;
	Datum		value = PG_GETARG_DATUM(arg);

	if (PG_ARGISNULL(arg) || set->typbyval[column])
		return value;
	oldcontext = MemoryContextSwitchTo(set->context);
	if (set->typlen[column] == -1)
		value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	else
		value = datumCopy(value, false, set->typlen[column]);
	MemoryContextSwitchTo(oldcontext);
	return value;
}

/*
 * Copy the columns of a row behind those of the others.
 */
static void
capture_row(FunctionCallInfo fcinfo, CaptureCall *call, bool is_condemned)
{
	static uint64 nrows_captured = 0;
	CaptureSet *set = call->set;
	uint64		pos = set->nrows * set->ncolumns;

	if (set->nrows == set->capacity)
		enlarge_set(set);
	for (int i = 0; i < set->ncolumns; i++, pos++)
	{
		if (set->event != CAPTURE_INSERT)
		{
			set->old_values[pos] = copy_argument(fcinfo, set, i, call->old_arg[i]);
			set->old_nulls[pos] = PG_ARGISNULL(call->old_arg[i]);
		}
		if (set->event != CAPTURE_DELETE)
		{
			set->new_values[pos] = copy_argument(fcinfo, set, i, call->new_arg[i]);
			set->new_nulls[pos] = PG_ARGISNULL(call->new_arg[i]);
		}
	}
	if (set->event != CAPTURE_INSERT)
		set->old_tids[set->nrows] = *(ItemPointer) PG_GETARG_POINTER(call->old_tid_arg);
	if (set->event != CAPTURE_DELETE)
		set->new_tids[set->nrows] = *(ItemPointer) PG_GETARG_POINTER(call->new_tid_arg);
	if (set->watches_orphans)
		set->condemned[set->nrows] = is_condemned;
	set->last_row = ++nrows_captured;
	set->nrows++;
}

/*
 * What the deferred relationships look for in rows that are written.
 */
static void
find_guards(FunctionCallInfo fcinfo, CaptureCall *call)
{
	CascadeCache *cache = cascade_cache_pin();
	CascadeTable *table = declared_table(cache, call->relid);
	MemoryContext oldcontext = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	ListCell   *lc;

	/* a row loses its parent by an update, which may move it */
	if (call->event == CAPTURE_UPDATE || (call->event == CAPTURE_DELETE && call->partition))
	{
		foreach(lc, table->losing)
			add_guard(call, lfirst(lc), ((CascadeRelationship *) lfirst(lc))->tie, false);
	}
	foreach(lc, table->references)
	{
		CascadeRelationship *rel = lfirst(lc);

		/* what each event can lose or gain */
		if ((call->event != CAPTURE_DELETE && rel->single_parent) ||
			(call->event != CAPTURE_INSERT && (rel->cascade & CASCADE_DELETE_ORPHAN)) ||
			(call->event == CAPTURE_DELETE && (rel->cascade & CASCADE_DELETE)))
			add_guard(call, rel, rel->reference, false);
	}
	foreach(lc, table->origins)
		add_guard(call, lfirst(lc), ((CascadeRelationship *) lfirst(lc))->tie, true);
	MemoryContextSwitchTo(oldcontext);
	cascade_cache_unpin(cache);
}

/*
 * Add the key of a tie that a deferred relationship guards; the table is the
 * tie's child, or its parent.
 */
static void
add_guard(CaptureCall *call, CascadeRelationship *rel, CascadeTie *tie, bool parent)
{
	CaptureGuard *guard;
	int			n = 0;

	if (!rel->deferred || (parent && call->event != CAPTURE_DELETE))
		return;
	guard = palloc(sizeof(CaptureGuard));
	guard->losing = rel->direction == CASCADE_ONE_TO_MANY;
	guard->gains = rel->single_parent;
	guard->columns = palloc(sizeof(int) * (tie->ncolumns + tie->npartners + tie->ndiscriminators));
	for (int i = 0; i < tie->ncolumns; i++)
		guard->columns[n++] = find_column(call->relid, call->attnos, call->ncolumns,
										  parent ? tie->columns[i].parent_attno :
										  tie->columns[i].child_attno);
	for (int i = 0; !parent && i < tie->npartners; i++)
		guard->columns[n++] = find_column(call->relid, call->attnos, call->ncolumns,
										  tie->partners[i]);
	guard->nkeys = n;
	for (int i = 0; !parent && i < tie->ndiscriminators; i++)
		guard->columns[n++] = find_column(call->relid, call->attnos, call->ncolumns,
										  tie->discriminators[i].attno);
	guard->ncolumns = n;
	call->guards = lappend(call->guards, guard);
}

/*
 * May a row have lost its parent, or a reference, or gained one that counts?
 */
static bool
guard_matters(FunctionCallInfo fcinfo, const CaptureCall *call, const CaptureGuard *guard)
{
	bool		held = call->event != CAPTURE_INSERT;
	bool		holds = call->event != CAPTURE_DELETE;
	bool		other_kind = false;
	bool		changed = call->event != CAPTURE_UPDATE;

	for (int i = 0; i < guard->ncolumns; i++)
	{
		int			column = guard->columns[i];
		bool		differs = call->event == CAPTURE_UPDATE && value_changed(fcinfo, call, column);

		changed |= differs;
		other_kind |= differs && i >= guard->nkeys;
		if (i < guard->nkeys)
		{
			held = held && !PG_ARGISNULL(call->old_arg[column]);
			holds = holds && !PG_ARGISNULL(call->new_arg[column]);
		}
	}
	if (guard->losing)
		return held && (!holds || other_kind);
	return changed && (held || (guard->gains && holds));
}

/*
 * Position of a column among the captured ones.
 */
static int
find_column(Oid relid, const AttrNumber *attnos, int ncolumns, AttrNumber attno)
{
	for (int i = 0; i < ncolumns; i++)
	{
		if (attnos[i] == attno)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("triggers of table \"%s\" do not capture column \"%s\", which a relationship needs",
					get_rel_name(relid), get_attname(relid, attno, false)),
			 errhint("Call cascade.alter_relationship for the relationship, which makes the triggers anew.")));
}

/*
 * cascade_capture_column
 *		Position of a column of the table in a set.  Error 55000 if the
 *		trigger does not capture it.
 */
int
cascade_capture_column(const CaptureSet *set, AttrNumber attno)
{
	return find_column(set->relid, set->attnos, set->ncolumns, attno);
}

/*
 * cascade_capture_changed
 *		Has a column of an updated row changed, byte for byte?
 */
bool
cascade_capture_changed(const CaptureSet *set, uint64 row, int column)
{
	uint64		pos = row * set->ncolumns + column;

	if (set->old_nulls[pos] != set->new_nulls[pos])
		return true;
	return !set->old_nulls[pos] &&
		!datum_image_eq(set->old_values[pos], set->new_values[pos],
						set->typbyval[column], set->typlen[column]);
}

/*
 * cascade_capture_has_column
 *		Does the set hold this column?
 */
bool
cascade_capture_has_column(const CaptureSet *set, AttrNumber attno)
{
	for (int i = 0; i < set->ncolumns; i++)
	{
		if (set->attnos[i] == attno)
			return true;
	}
	return false;
}

/*
 * Did keep_key() let the row keep its key, and does it still hold it?
 */
static bool
row_condemned(FunctionCallInfo fcinfo, CaptureCall *call)
{
	Bitmapset  *columns = cascade_keep_take(call->leaf,
											(ItemPointer) PG_GETARG_POINTER(call->old_tid_arg));

	bool		holds = columns != NULL;

	for (int column = 0; holds && column < call->ncolumns; column++)
	{
		if (bms_is_member(call->attnos[column], columns))
			holds = !value_changed(fcinfo, call, column);
	}
	bms_free(columns);
	return holds;
}

/*
 * cascade_capture_match
 *		The set whose event has fired; NULL if it was drained before.  Error
 *		39P01 if there was none: no condition of ours has queued the event.
 *
 * Rows of a foreign table have no address; of its sets the youngest is meant,
 * because the statement that ends first began last.
 */
CaptureSet *
cascade_capture_match(Relation rel, CaptureEvent event, ItemPointer tid)
{
	Oid			leaf = RelationGetRelid(rel);
	dlist_iter	iter;

	dlist_reverse_foreach(iter, &captured)
	{
		CaptureSet *set = &dlist_container(CaptureNode, node, iter.cur)->set;

		if (set->queued && set->leaf == leaf && set->event == event &&
			same_tid(&set->first, tid))
			return set;
	}
	if (!forget_drained(leaf, event, tid))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("a trigger on table \"%s\" calls cascade.run() without the condition that belongs to it",
						RelationGetRelationName(rel)),
				 errhint("These triggers are made by cascade.add_relationship."),
				 errtable(rel)));
	return NULL;
}

/*
 * Are they the same, or both of no row?
 */
static bool
same_tid(const ItemPointerData *a, const ItemPointerData *b)
{
	return ItemPointerGetBlockNumberNoCheck(a) == ItemPointerGetBlockNumberNoCheck(b) &&
		ItemPointerGetOffsetNumberNoCheck(a) == ItemPointerGetOffsetNumberNoCheck(b);
}

/*
 * cascade_capture_take
 *		Take the sets from this id on, oldest first, as a List of CaptureSet *;
 *		they are freed with the memory context that is given.  firing is the
 *		set whose own event is under way.
 */
List *
cascade_capture_take(uint64 first_id, uint64 firing, MemoryContext context)
{
	List	   *sets = NIL;
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &captured)
	{
		CaptureSet *set = &dlist_container(CaptureNode, node, iter.cur)->set;

		if (set->id < first_id)
			continue;
		dlist_delete(iter.cur);
		capture_epoch++;
		MemoryContextSetParent(set->context, context);
		sets = lappend(sets, set);
		if (set->queued && set->id != firing)
			remember_drained(set, first_id);
	}
	return sets;
}

/*
 * Note that an event of this set is still to come.
 */
static void
remember_drained(const CaptureSet *set, uint64 first_id)
{
	DrainedQueue *queue = drained == NIL ? NULL : llast(drained);
	DrainedSet *entry;

	if (queue == NULL || queue->first_id != first_id)
	{
		MemoryContext oldcontext = MemoryContextSwitchTo(TopTransactionContext);

		queue = palloc0(sizeof(DrainedQueue));
		queue->first_id = first_id;
		queue->nest_level = set->nest_level;
		queue->capacity = 16;
		queue->sets = palloc(sizeof(DrainedSet) * queue->capacity);
		drained = lappend(drained, queue);
		MemoryContextSwitchTo(oldcontext);
	}
	if (queue->tail == queue->capacity)
	{
		queue->capacity *= 2;
		queue->sets = repalloc_huge(queue->sets, sizeof(DrainedSet) * queue->capacity);
	}
	entry = &queue->sets[queue->tail++];
	entry->leaf = set->leaf;
	entry->event = set->event;
	entry->tid = set->first;
	entry->fired = false;
}

/*
 * The event of a drained set has fired; false if there is no such set.
 */
static bool
forget_drained(Oid leaf, CaptureEvent event, ItemPointer tid)
{
	for (int i = list_length(drained) - 1; i >= 0; i--)
	{
		DrainedQueue *queue = list_nth(drained, i);

		/* it is the first, as events fire in the order of their sets */
		for (uint64 j = queue->head; j < queue->tail; j++)
		{
			DrainedSet *entry = &queue->sets[j];

			if (entry->fired || entry->leaf != leaf || entry->event != event ||
				!same_tid(&entry->tid, tid))
				continue;
			entry->fired = true;
			while (queue->head < queue->tail && queue->sets[queue->head].fired)
				queue->head++;
			if (queue->head == queue->tail)
			{
				drained = list_delete_nth_cell(drained, i);
				pfree(queue->sets);
				pfree(queue);
			}
			return true;
		}
	}
	return false;
}

/*
 * cascade_capture_reset
 *		At the end of a transaction; the memory goes with the transaction's.
 */
void
cascade_capture_reset(void)
{
	dlist_init(&captured);
	drained = NIL;
	capture_epoch++;
}

/*
 * cascade_capture_subxact_abort
 *		The statements of an aborted subtransaction have not happened; their
 *		events are gone.
 */
void
cascade_capture_subxact_abort(int nest_level)
{
	dlist_mutable_iter iter;
	ListCell   *lc;

	dlist_foreach_modify(iter, &captured)
	{
		CaptureNode *node = dlist_container(CaptureNode, node, iter.cur);

		if (node->set.nest_level >= nest_level)
			forget_set(node);
	}
	foreach(lc, drained)
	{
		if (((DrainedQueue *) lfirst(lc))->nest_level >= nest_level)
			drained = foreach_delete_current(drained, lc);
	}
}

static void
forget_set(CaptureNode *node)
{
	dlist_delete(&node->node);
	capture_epoch++;
	MemoryContextDelete(node->set.context);
}
