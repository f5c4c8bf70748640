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
PG_FUNCTION_INFO_V1(cascade_check_orphans);

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

	trigdata = cascade_check_trigger(fcinfo, "run", TRIGGER_EVENT_AFTER,
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

	trigdata = cascade_check_trigger(fcinfo, "check_orphans", TRIGGER_EVENT_AFTER,
							 CALLED_AS_TRIGGER(fcinfo) &&
							 TRIGGER_FIRED_BY_UPDATE(((TriggerData *) fcinfo->context)->tg_event));
	checks = cascade_pending_take(RelationGetRelid(trigdata->tg_relation));
	if (checks != NIL)
		cascade_event_check(checks);
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
