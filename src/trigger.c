/*-------------------------------------------------------------------------
 *
 * trigger.c
 *	  the trigger functions: thin entries to the road
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/trigger.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "cascade.h"
#include "utils/rel.h"

static TriggerData *check_trigger(FunctionCallInfo fcinfo, const char *function,
								  TriggerEvent timing, bool fired_right);
static HeapTuple restore_keys(TriggerData *trigdata, CascadeTable *table, Bitmapset **restored);

PG_FUNCTION_INFO_V1(cascade_run);
PG_FUNCTION_INFO_V1(cascade_check_orphans);
PG_FUNCTION_INFO_V1(cascade_keep_key);

/*
 * cascade.run() RETURNS trigger
 *		AFTER DELETE or UPDATE FOR EACH ROW, with cascade.capture() as its
 *		condition: does what the statement left to be done.
 *
 * Errors 39P01 if called otherwise.
 */
Datum
cascade_run(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata;
	bool		deletes;
	CaptureSet *set;

	trigdata = check_trigger(fcinfo, "run", TRIGGER_EVENT_AFTER,
							 CALLED_AS_TRIGGER(fcinfo) &&
							 (TRIGGER_FIRED_BY_DELETE(((TriggerData *) fcinfo->context)->tg_event) ||
							  TRIGGER_FIRED_BY_UPDATE(((TriggerData *) fcinfo->context)->tg_event)));
	deletes = TRIGGER_FIRED_BY_DELETE(trigdata->tg_event);
	set = cascade_capture_match(trigdata->tg_relation,
								deletes ? CAPTURE_DELETE : CAPTURE_UPDATE,
								&trigdata->tg_trigtuple->t_self);
	if (set)
		cascade_event_drain(set->id);
	return PointerGetDatum(NULL);
}

/*
 * cascade.check_orphans() RETURNS trigger
 *		AFTER UPDATE FOR EACH ROW, a deferrable constraint trigger with
 *		cascade.capture_deferred() as its condition: deletes the noted rows
 *		that are orphans now.
 *
 * Errors 39P01 if called otherwise.
 */
Datum
cascade_check_orphans(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata;
	List	   *checks;

	trigdata = check_trigger(fcinfo, "check_orphans", TRIGGER_EVENT_AFTER,
							 CALLED_AS_TRIGGER(fcinfo) &&
							 TRIGGER_FIRED_BY_UPDATE(((TriggerData *) fcinfo->context)->tg_event));
	checks = cascade_pending_take(RelationGetRelid(trigdata->tg_relation));
	if (checks != NIL)
		cascade_event_check(checks);
	return PointerGetDatum(NULL);
}

/*
 * cascade.keep_key() RETURNS trigger
 *		BEFORE UPDATE FOR EACH ROW of a table whose NOT NULL key is set to
 *		NULL: lets an orphan keep the key, so that the update can be done and
 *		counted, and has the row deleted at the end of the statement.
 *
 * A row that is no orphan under its rule is left to fail.  Errors 39P01 if
 * called otherwise.
 */
Datum
cascade_keep_key(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata;
	CascadeCache *cache;
	CascadeTable *table;
	HeapTuple	tuple;
	Bitmapset  *restored = NULL;

	trigdata = check_trigger(fcinfo, "keep_key", TRIGGER_EVENT_BEFORE,
							 CALLED_AS_TRIGGER(fcinfo) &&
							 TRIGGER_FIRED_BY_UPDATE(((TriggerData *) fcinfo->context)->tg_event));
	tuple = trigdata->tg_newtuple;
	if (!cascade_enabled)
		return PointerGetDatum(tuple);

	cache = cascade_cache_pin();
	table = cascade_cache_table(cache, RelationGetRelid(trigdata->tg_relation));
	if (table && table->orphans != NIL)
		tuple = restore_keys(trigdata, table, &restored);
	cascade_cache_unpin(cache);
	if (restored)
		cascade_capture_condemn(RelationGetRelid(trigdata->tg_relation),
								&trigdata->tg_trigtuple->t_self, restored,
								fcinfo->flinfo->fn_mcxt);
	return PointerGetDatum(tuple);
}

/*
 * As ri_CheckTrigger, with the trigger manager's own words.
 */
static TriggerData *
check_trigger(FunctionCallInfo fcinfo, const char *function, TriggerEvent timing, bool fired_right)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", function)));
	if (!fired_right || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		(trigdata->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was fired for a wrong event", function),
				 errhint("These triggers are made by cascade.add_relationship."),
				 errtable(trigdata->tg_relation)));
	return trigdata;
}

/*
 * The new row with its NOT NULL keys restored, if a relationship makes it an
 * orphan; else as it is.
 */
static HeapTuple
restore_keys(TriggerData *trigdata, CascadeTable *table, Bitmapset **restored)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	Datum	   *old_values = palloc(sizeof(Datum) * desc->natts);
	bool	   *old_nulls = palloc(sizeof(bool) * desc->natts);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	bool	   *replace = palloc0(sizeof(bool) * desc->natts);
	bool		orphan = false;
	ListCell   *lc;

	heap_deform_tuple(trigdata->tg_trigtuple, desc, old_values, old_nulls);
	heap_deform_tuple(trigdata->tg_newtuple, desc, values, nulls);
	foreach(lc, table->orphans)
	{
		CascadeRelationship *rel = lfirst(lc);
		bool		loses_not_null = false;
		bool		had_parent = true;

		for (int i = 0; i < rel->tie->ncolumns; i++)
		{
			int			att = rel->tie->columns[i].target_attno - 1;

			had_parent &= !old_nulls[att];
			if (TupleDescAttr(desc, att)->attnotnull && nulls[att])
				loses_not_null = replace[att] = true;
		}
		if (loses_not_null && had_parent && cascade_orphan_without(rel, table->orphans, nulls))
			orphan = true;
	}
	if (!orphan)
		return trigdata->tg_newtuple;
	for (int att = 0; att < desc->natts; att++)
	{
		if (replace[att])
			*restored = bms_add_member(*restored, att + 1);
	}
	return heap_modify_tuple(trigdata->tg_newtuple, desc, old_values, old_nulls, replace);
}
