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

#include "cascade.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(cascade_run);
PG_FUNCTION_INFO_V1(cascade_verify);

/*
 * cascade.run() RETURNS trigger
 *		AFTER DELETE, INSERT or UPDATE FOR EACH ROW, with cascade.capture() as
 *		its condition: does what the statement left to be done.
 *
 * Errors 39P01 if called otherwise.
 */
Datum
cascade_run(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata;
	CaptureEvent event;
	CaptureSet *set;

	trigdata = cascade_check_trigger(fcinfo, "run", TRIGGER_EVENT_AFTER,
									 CALLED_AS_TRIGGER(fcinfo) &&
									 !TRIGGER_FIRED_BY_TRUNCATE(((TriggerData *) fcinfo->context)->tg_event));
	event = TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ? CAPTURE_DELETE :
		TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ? CAPTURE_INSERT : CAPTURE_UPDATE;
	set = cascade_capture_match(trigdata->tg_relation, event, &trigdata->tg_trigtuple->t_self);
	if (set)
		cascade_event_drain(set->id);
	return PointerGetDatum(NULL);
}

/*
 * cascade.verify() RETURNS trigger
 *		AFTER DELETE, INSERT or UPDATE FOR EACH ROW, a deferrable constraint
 *		trigger with cascade.to_verify() as its condition: does what the
 *		table's deferred relationships have noted.
 *
 * Errors 39P01 if called otherwise, 23505 if a target of a single_parent
 * relationship is referenced twice.
 */
Datum
cascade_verify(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata;
	List	   *checks;

	trigdata = cascade_check_trigger(fcinfo, "verify", TRIGGER_EVENT_AFTER,
									 CALLED_AS_TRIGGER(fcinfo) &&
									 !TRIGGER_FIRED_BY_TRUNCATE(((TriggerData *) fcinfo->context)->tg_event));
	checks = cascade_pending_take_deferred(cascade_partition_root(RelationGetRelid(trigdata->tg_relation)));
	if (checks != NIL)
		cascade_event_verify(checks);
	return PointerGetDatum(NULL);
}

/*
 * cascade_check_trigger
 *		The trigger data of a call, if it is one FOR EACH ROW with this timing
 *		and for an event that the caller finds right.  Error 39P01 if not.
 *
 * As ri_CheckTrigger, with the trigger manager's own words.
 */
TriggerData *
cascade_check_trigger(FunctionCallInfo fcinfo, const char *function, TriggerEvent timing, bool fired_right)
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
