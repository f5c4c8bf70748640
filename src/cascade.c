/*-------------------------------------------------------------------------
 *
 * cascade.c
 *	  module start: settings and transaction callbacks
 *
 * Nothing depends on shared_preload_libraries: the library is loaded by the
 * first trigger condition that runs, and all that it keeps outside a
 * statement is keyed by subtransaction and forgotten with it.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/cascade.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "cascade.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

/* Settings */
bool		cascade_enabled = true;
bool		cascade_trace = false;
int			cascade_max_rows = 0;

void		_PG_init(void);

static void define_settings(void);
static void at_xact_event(XactEvent event, void *arg);
static void at_subxact_event(SubXactEvent event, SubTransactionId mySubid,
							 SubTransactionId parentSubid, void *arg);

/*
 * Called once in each backend, when the library is loaded.
 */
void
_PG_init(void)
{
	define_settings();
	cascade_truncate_init();
	RegisterXactCallback(at_xact_event, NULL);
	RegisterSubXactCallback(at_subxact_event, NULL);
}

static void
define_settings(void)
{
	DefineCustomBoolVariable("cascade.enabled",
							 "Lets declared relationships cascade.",
							 "Rows written while this is off are not cascaded later.",
							 &cascade_enabled,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("cascade.max_rows",
							"Sets the number of rows that one cascade may touch.",
							"A cascade that would touch more fails and changes nothing; 0 is no limit.",
							&cascade_max_rows,
							0, 0, INT_MAX,
							PGC_USERSET,
							0,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("cascade.trace",
							 "Sends a notice for each statement that a cascade runs.",
							 NULL,
							 &cascade_trace,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);

	MarkGUCPrefixReserved("cascade");
}

/*
 * Whatever ended the transaction, nothing of it is left to be done: deferred
 * triggers have fired before a commit or a PREPARE gets here.
 */
static void
at_xact_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			cascade_event_reset();
			cascade_capture_reset();
			cascade_keep_reset();
			cascade_pending_reset();
			cascade_plan_reset();
			cascade_install_reset();
			cascade_cache_unpin_all();
			break;
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			cascade_pending_error_if_undone();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
	}
}

static void
at_subxact_event(SubXactEvent event, SubTransactionId mySubid,
				 SubTransactionId parentSubid, void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();

	switch (event)
	{
		case SUBXACT_EVENT_COMMIT_SUB:
			cascade_pending_subxact_commit(nest_level);
			break;
		case SUBXACT_EVENT_ABORT_SUB:
			cascade_capture_subxact_abort(nest_level);
			cascade_keep_subxact_abort(nest_level);
			cascade_pending_subxact_abort(nest_level);
			cascade_install_subxact_abort(nest_level);
			break;
		case SUBXACT_EVENT_START_SUB:
		case SUBXACT_EVENT_PRE_COMMIT_SUB:
			break;
	}
}
