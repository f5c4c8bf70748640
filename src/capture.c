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
 * first row only, so that the whole statement queues one event.  When that
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

#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "cascade.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "nodes/primnodes.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * CaptureCall
 *		What a condition learned from its own expression; one for each
 *		execution of a statement, kept in fn_extra.
 */
typedef struct CaptureCall
{
	int			tableoid_arg;
	int			old_tid_arg;	/* -1 if not passed, as below */
	int			new_tid_arg;
	int			ncolumns;
	AttrNumber *attnos;
	int		   *old_arg;
	int		   *new_arg;		/* -1 throughout in a DELETE trigger */
	bool	   *typbyval;
	int16	   *typlen;
	CaptureSet *set;			/* where the rows go ... */
	uint64		set_id;
	uint64		epoch;			/* ... if no set has gone since */
	List	   *deferred;		/* CaptureDeferred, for capture_deferred() */
} CaptureCall;

/* a relationship whose orphans are looked for at commit, and its key */
typedef struct CaptureDeferred
{
	Oid			source;
	NameData	name;
	int			nkeys;
	int		   *columns;		/* of the call */
} CaptureDeferred;

/* a set that was drained before its own event fired */
typedef struct DrainedSet
{
	Oid			relid;
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

static CaptureCall *begin_call(FunctionCallInfo fcinfo, bool deferred);
static void check_triggers(Oid relid, Oid function);
static void place_argument(CaptureCall *call, int arg, Var *var);
pg_noreturn static void error_not_in_condition(void);
static CascadeTable *declared_table(CascadeCache *cache, Oid relid);
static int	find_column(Oid relid, const AttrNumber *attnos, int ncolumns, AttrNumber attno);
static void find_deferred(FunctionCallInfo fcinfo, CaptureCall *call);
static void remember_drained(const CaptureSet *set, uint64 first_id);
static bool find_set(FunctionCallInfo fcinfo, CaptureCall *call);
static void capture_row(FunctionCallInfo fcinfo, CaptureCall *call, bool is_condemned);
static bool row_changed(FunctionCallInfo fcinfo, CaptureCall *call);
static bool row_condemned(FunctionCallInfo fcinfo, CaptureCall *call);
static bool value_changed(FunctionCallInfo fcinfo, CaptureCall *call, int column);
static void forget_set(CaptureNode *node);
static bool forget_drained(Oid relid, CaptureEvent event, ItemPointer tid);

PG_FUNCTION_INFO_V1(cascade_capture);
PG_FUNCTION_INFO_V1(cascade_capture_deferred);

/*
 * cascade.capture(VARIADIC "any") RETURNS boolean
 *		The condition of CASCADE_delete and CASCADE_update.
 *
 * Arguments are old.tableoid, old.ctid, in an UPDATE trigger new.ctid, and
 * columns of OLD and NEW.  True for the first row of a statement.  Errors
 * 39P01 if called anywhere else than in a trigger's condition, 55000 if
 * nothing is declared on the table.
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

	first = find_set(fcinfo, call);
	if (call->set->watches_orphans)
		is_condemned = row_condemned(fcinfo, call);
	if (call->set->event == CAPTURE_DELETE || is_condemned || row_changed(fcinfo, call))
		capture_row(fcinfo, call, is_condemned);
	PG_RETURN_BOOL(first);
}

/*
 * cascade.capture_deferred(VARIADIC "any") RETURNS boolean
 *		The condition of CASCADE_orphan.
 *
 * Arguments are old.tableoid, new.ctid, and the key columns of OLD and NEW.
 * Notes a row that had a parent and has none now, and is true where no event
 * is queued that will look at it.  Errors as above.
 */
Datum
cascade_capture_deferred(PG_FUNCTION_ARGS)
{
	CaptureCall *call;
	Oid			relid;
	bool		noted = false;
	ListCell   *lc;

	if (!cascade_enabled)
		PG_RETURN_BOOL(false);
	call = fcinfo->flinfo->fn_extra;
	if (call == NULL)
	{
		call = begin_call(fcinfo, true);
		find_deferred(fcinfo, call);
	}
	relid = PG_GETARG_OID(call->tableoid_arg);

	foreach(lc, call->deferred)
	{
		CaptureDeferred *rel = lfirst(lc);
		bool		had_parent = true;
		bool		has_parent = true;

		for (int i = 0; i < rel->nkeys; i++)
		{
			if (PG_ARGISNULL(call->old_arg[rel->columns[i]]))
				had_parent = false;
			if (PG_ARGISNULL(call->new_arg[rel->columns[i]]))
				has_parent = false;
		}
		if (had_parent && !has_parent)
		{
			cascade_pending_add(relid, rel->source, NameStr(rel->name),
								(ItemPointer) PG_GETARG_POINTER(call->new_tid_arg));
			noted = true;
		}
	}
	PG_RETURN_BOOL(noted && cascade_pending_arm(relid));
}

/*
 * First row of an execution: learn which argument is which.
 *
 * The trigger manager numbers OLD as INNER_VAR and NEW as OUTER_VAR in both
 * varno and varnosyn.  The planner does that to varno only, so the pair
 * proves that a trigger's condition calls us, with the row it is about.
 */
static CaptureCall *
begin_call(FunctionCallInfo fcinfo, bool deferred)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	CaptureCall *call = palloc0(sizeof(CaptureCall));
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
	if (call->tableoid_arg < 0 || (deferred ? call->new_tid_arg < 0 : call->old_tid_arg < 0))
		error_not_in_condition();
	for (int i = 0; i < call->ncolumns; i++)
	{
		if (call->old_arg[i] < 0 || (call->new_tid_arg >= 0) != (call->new_arg[i] >= 0))
			error_not_in_condition();
	}
	check_triggers(PG_GETARG_OID(call->tableoid_arg), fcinfo->flinfo->fn_oid);
	MemoryContextSwitchTo(oldcontext);
	fcinfo->flinfo->fn_extra = call;
	return call;
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
	Oid			check_orphans;
	char	   *mention = NULL;

	cascade_cache_function_oids(cache, &run, &check_orphans);
	cascade_cache_unpin(cache);
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgqual == NULL || trigger->tgfoid == run ||
			(trigger->tgfoid == check_orphans && trigger->tgdeferrable))
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
	if (var->varattno == TableOidAttributeNumber && is_old)
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
 * Make call->set the set that takes this execution's rows; true if it was
 * made for this row.
 */
static bool
find_set(FunctionCallInfo fcinfo, CaptureCall *call)
{
	CascadeCache *cache;
	CascadeTable *table;
	MemoryContext context;
	MemoryContext oldcontext;
	CaptureNode *node;
	CaptureSet *set;
	dlist_iter	iter;
	ListCell   *lc;

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

	context = AllocSetContextCreate(TopTransactionContext, "cascade captured keys",
									ALLOCSET_SMALL_SIZES);
	oldcontext = MemoryContextSwitchTo(context);
	node = palloc0(sizeof(CaptureNode));
	set = &node->set;
	set->id = next_set_id++;
	set->relid = PG_GETARG_OID(call->tableoid_arg);
	set->event = call->new_tid_arg >= 0 ? CAPTURE_UPDATE : CAPTURE_DELETE;
	set->first = *(ItemPointer) PG_GETARG_POINTER(call->old_tid_arg);
	set->nest_level = GetCurrentTransactionNestLevel();
	set->cause = cascade_event_current_step();
	set->context = context;
	set->ncolumns = call->ncolumns;
	set->attnos = memcpy(palloc(sizeof(AttrNumber) * (call->ncolumns + 1)),
						 call->attnos, sizeof(AttrNumber) * call->ncolumns);
	set->typbyval = memcpy(palloc(sizeof(bool) * (call->ncolumns + 1)),
						   call->typbyval, sizeof(bool) * call->ncolumns);
	set->typlen = memcpy(palloc(sizeof(int16) * (call->ncolumns + 1)),
						 call->typlen, sizeof(int16) * call->ncolumns);

	cache = cascade_cache_pin();
	table = declared_table(cache, set->relid);
	if (set->event == CAPTURE_UPDATE)
	{
		foreach(lc, table->orphans)
		{
			CascadeRelationship *rel = lfirst(lc);

			set->watches_orphans |= !rel->deferred || rel->tie->target_not_null;
		}
	}
	cascade_cache_unpin(cache);
	MemoryContextSwitchTo(oldcontext);

	dlist_push_tail(&captured, &node->node);
	call->set = set;
	call->set_id = set->id;
	call->epoch = capture_epoch;
	return true;
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
value_changed(FunctionCallInfo fcinfo, CaptureCall *call, int column)
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
	Size		ncolumns = Max(set->ncolumns, 1);

	set->capacity = set->capacity == 0 ? 4 : set->capacity * 2;
	set->old_values = enlarge(set, set->old_values, sizeof(Datum) * ncolumns);
	set->old_nulls = enlarge(set, set->old_nulls, sizeof(bool) * ncolumns);
	if (set->event == CAPTURE_UPDATE)
	{
		set->new_values = enlarge(set, set->new_values, sizeof(Datum) * ncolumns);
		set->new_nulls = enlarge(set, set->new_nulls, sizeof(bool) * ncolumns);
	}
	set->old_tids = enlarge(set, set->old_tids, sizeof(ItemPointerData));
	if (set->event == CAPTURE_UPDATE)
		set->new_tids = enlarge(set, set->new_tids, sizeof(ItemPointerData));
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
	CaptureSet *set = call->set;
	uint64		pos = set->nrows * set->ncolumns;

	if (set->nrows == set->capacity)
		enlarge_set(set);
	for (int i = 0; i < set->ncolumns; i++, pos++)
	{
		set->old_values[pos] = copy_argument(fcinfo, set, i, call->old_arg[i]);
		set->old_nulls[pos] = PG_ARGISNULL(call->old_arg[i]);
		if (set->event == CAPTURE_UPDATE)
		{
			set->new_values[pos] = copy_argument(fcinfo, set, i, call->new_arg[i]);
			set->new_nulls[pos] = PG_ARGISNULL(call->new_arg[i]);
		}
	}
	set->old_tids[set->nrows] = *(ItemPointer) PG_GETARG_POINTER(call->old_tid_arg);
	if (set->event == CAPTURE_UPDATE)
		set->new_tids[set->nrows] = *(ItemPointer) PG_GETARG_POINTER(call->new_tid_arg);
	if (set->watches_orphans)
		set->condemned[set->nrows] = is_condemned;
	set->nrows++;
}

/*
 * The deferred delete-orphan relationships that lead to the table.
 */
static void
find_deferred(FunctionCallInfo fcinfo, CaptureCall *call)
{
	CascadeCache *cache = cascade_cache_pin();
	CascadeTable *table = declared_table(cache, PG_GETARG_OID(call->tableoid_arg));
	MemoryContext oldcontext = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	ListCell   *lc;

	foreach(lc, table->orphans)
	{
		CascadeRelationship *rel = lfirst(lc);
		CaptureDeferred *deferred;

		if (!rel->deferred)
			continue;
		deferred = palloc(sizeof(CaptureDeferred));
		deferred->source = rel->source;
		deferred->name = rel->name;
		deferred->nkeys = rel->tie->ncolumns;
		deferred->columns = palloc(sizeof(int) * deferred->nkeys);
		for (int i = 0; i < deferred->nkeys; i++)
			deferred->columns[i] = find_column(table->relid, call->attnos, call->ncolumns,
													   rel->tie->columns[i].target_attno);
		call->deferred = lappend(call->deferred, deferred);
	}
	MemoryContextSwitchTo(oldcontext);
	cascade_cache_unpin(cache);
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
	Bitmapset  *columns = cascade_keep_take(call->set->relid,
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
 */
CaptureSet *
cascade_capture_match(Relation rel, CaptureEvent event, ItemPointer tid)
{
	Oid			relid = RelationGetRelid(rel);
	dlist_iter	iter;

	dlist_foreach(iter, &captured)
	{
		CaptureSet *set = &dlist_container(CaptureNode, node, iter.cur)->set;

		if (set->relid == relid && set->event == event &&
			ItemPointerEquals(&set->first, tid))
			return set;
	}
	if (!forget_drained(relid, event, tid))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("a trigger on table \"%s\" calls cascade.run() without the condition that belongs to it",
						RelationGetRelationName(rel)),
				 errhint("These triggers are made by cascade.add_relationship."),
				 errtable(rel)));
	return NULL;
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
		if (set->id != firing)
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
	entry->relid = set->relid;
	entry->event = set->event;
	entry->tid = set->first;
	entry->fired = false;
}

/*
 * The event of a drained set has fired; false if there is no such set.
 */
static bool
forget_drained(Oid relid, CaptureEvent event, ItemPointer tid)
{
	for (int i = list_length(drained) - 1; i >= 0; i--)
	{
		DrainedQueue *queue = list_nth(drained, i);

		/* it is the first, as events fire in the order of their sets */
		for (uint64 j = queue->head; j < queue->tail; j++)
		{
			DrainedSet *entry = &queue->sets[j];

			if (entry->fired || entry->relid != relid || entry->event != event ||
				!ItemPointerEquals(&entry->tid, tid))
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
