/*-------------------------------------------------------------------------
 *
 * ddl.c
 *	  keeping the triggers right when DDL changes what they rest on
 *
 * An event trigger, and not a hook, because it loads the library in every
 * session.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/ddl.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "cascade.h"
#include "catalog/indexing.h"
#include "catalog/pg_trigger.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

static List *created_triggers(void);
static Oid	table_of_users_trigger(Oid trigger);

PG_FUNCTION_INFO_V1(cascade_after_create_trigger);

/*
 * cascade.after_create_trigger() RETURNS event_trigger
 *		On ddl_command_end of CREATE TRIGGER: a BEFORE UPDATE trigger that
 *		may change key columns has come to a table, so our UPDATE triggers
 *		must not rely on the columns that a command names; see install.c.
 */
Datum
cascade_after_create_trigger(PG_FUNCTION_ARGS)
{
	ListCell   *lc;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by event trigger manager",
						"after_create_trigger")));
	if (IsBinaryUpgrade)
		PG_RETURN_NULL();

	foreach(lc, created_triggers())
	{
		Oid			relid = table_of_users_trigger(lfirst_oid(lc));
		CascadeCache *cache;
		bool		declared;

		if (!OidIsValid(relid))
			continue;
		cache = cascade_cache_pin();
		declared = cascade_cache_table(cache, relid) != NULL;
		cascade_cache_unpin(cache);
		/* in the middle of a restore our own triggers may be still to come */
		if (declared)
			cascade_install_triggers(relid, true);
	}
	PG_RETURN_NULL();
}

/*
 * OIDs of the triggers that the command made.
 */
static List *
created_triggers(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *oids = NIL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("SELECT objid FROM pg_catalog.pg_event_trigger_ddl_commands()"
					" WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_trigger'::pg_catalog.regclass",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the commands of the event trigger");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			oid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														 SPI_tuptable->tupdesc, 1, &isnull));
		MemoryContext oldcontext = MemoryContextSwitchTo(caller);

		oids = lappend_oid(oids, oid);
		MemoryContextSwitchTo(oldcontext);
	}
	SPI_finish();
	return oids;
}

/*
 * The table of a BEFORE UPDATE row trigger that is not ours; else InvalidOid.
 */
static Oid
table_of_users_trigger(Oid trigger)
{
	Relation	tgrel = table_open(TriggerRelationId, AccessShareLock);
	Oid			relid = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(trigger));
	scan = systable_beginscan(tgrel, TriggerOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (TRIGGER_FOR_ROW(form->tgtype) && TRIGGER_FOR_BEFORE(form->tgtype) &&
			TRIGGER_FOR_UPDATE(form->tgtype) &&
			strcmp(NameStr(form->tgname), CASCADE_TRIGGER_KEEP) != 0)
			relid = form->tgrelid;
	}
	systable_endscan(scan);
	table_close(tgrel, AccessShareLock);
	return relid;
}
