/*-------------------------------------------------------------------------
 *
 * install.c
 *	  the triggers of a table: which it needs, and making them so
 *
 * A table has at most one trigger of each kind, for all its relationships;
 * see the names in cascade.h.  They are ordinary triggers: pg_dump dumps
 * them, their conditions follow renamed columns and hold dropped ones, and
 * they are marked as depending on the extension, so that DROP EXTENSION takes
 * them along.
 *
 * An UPDATE trigger says OF which columns it is, which makes every other
 * UPDATE free of it.  But PostgreSQL means the columns that the command
 * names, and a BEFORE trigger may change others; where a table has one, ours
 * does without OF.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/install.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "cascade.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* a trigger that a table should have */
typedef struct WantedTrigger
{
	const char *name;
	const char *function;		/* in schema cascade */
	const char *comment;
	bool		before;
	bool		constraint;		/* deferrable */
	CaptureEvent event;
	Bitmapset  *columns;		/* captured; empty: the trigger is not wanted */
	Bitmapset  *changes;		/* those of them whose changes matter */
	Bitmapset  *of;				/* UPDATE OF */
	List	   *arguments;		/* of char *; see portable.c */
} WantedTrigger;

/* which of the triggers is which */
enum
{
	ON_DELETE,
	ON_INSERT,
	ON_UPDATE,
	VERIFY_DELETE,
	VERIFY_INSERT,
	VERIFY_UPDATE,
	KEEP,
	NUM_TRIGGERS
};

static const char *const event_words[] = {
	[CAPTURE_DELETE] = "DELETE",
	[CAPTURE_INSERT] = "INSERT",
	[CAPTURE_UPDATE] = "UPDATE",
};

/* our own DROP TRIGGER is under way */
static bool installing = false;

/* how a trigger that is to be made again fires */
typedef struct TriggerState
{
	Oid			relid;
	NameData	name;
	char		enabled;
	int			nest_level;		/* of the subtransaction */
} TriggerState;

static List *states = NIL;		/* in TopTransactionContext */

static void name_triggers(WantedTrigger wanted[NUM_TRIGGERS]);
static void want_triggers(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS], Relation rel);
static void want_by_ties(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS]);
static void want_by_orphans(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS], Relation rel);
static void want_by_references(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS]);
static void want_by_targets(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS]);
static void want_by_origins(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS]);
static void want_by_enforced(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS]);
static void want_for_partitions(WantedTrigger wanted[NUM_TRIGGERS], bool orphans);
static void want(WantedTrigger *trigger, Bitmapset *columns);
static Bitmapset *parent_columns(const CascadeTie *tie);
static Bitmapset *not_null_columns(const CascadeTie *tie, Relation rel);
static bool has_before_trigger(Relation rel);
static Trigger *find_trigger(Relation rel, const char *name);
static Bitmapset *condition_columns(const Trigger *trigger, bool before);
static bool trigger_fits(const Trigger *trigger, const WantedTrigger *wanted);
static bool has_arguments(const Trigger *trigger, List *arguments);
static void check_condition(Relation rel, const Trigger *trigger);
static void check_ours(Relation rel, const Trigger *trigger);
static void replace_trigger(Relation rel, const WantedTrigger *wanted, bool exists);
static void make_trigger(Relation rel, const WantedTrigger *wanted, bool replace);
static void remember_state(Oid relid, const char *name, char enabled);
static char remembered_state(Oid relid, const char *name);
static void make_ours(Oid relid, const char *name, const char *comment);
static void install_truncate(Oid relid, bool wanted);
static bool wants_truncate(Oid relid);
static char *trigger_condition(Oid relid, const WantedTrigger *wanted);
pg_noreturn static void error_pending(Oid relid);
static void execute(const char *sql);

/*
 * cascade_install_triggers
 *		Give a table the triggers that its relationships need, and no others.
 *
 * The caller has checked that this may be done.  Takes ShareRowExclusiveLock,
 * and works as the table's owner, who need not be the caller.  Errors 42710
 * if a trigger of somebody else has the name of one of ours, 55006 if one
 * would have to be made anew that has checks pending.
 */
void
cascade_install_triggers(Oid relid)
{
	Relation	rel = table_open(relid, ShareRowExclusiveLock);
	CascadeCache *cache = cascade_cache_pin();
	WantedTrigger wanted[NUM_TRIGGERS];

	want_triggers(cascade_cache_table(cache, relid), wanted, rel);
	cascade_cache_unpin(cache);
	for (int i = 0; i < lengthof(wanted); i++)
	{
		Trigger    *existing = find_trigger(rel, wanted[i].name);

		if (existing)
			check_ours(rel, existing);
		if (existing ? !trigger_fits(existing, &wanted[i]) : !bms_is_empty(wanted[i].columns))
			replace_trigger(rel, &wanted[i], existing != NULL);
	}
	table_close(rel, NoLock);
	cascade_install_for_truncate(relid);
}

/*
 * cascade_refresh_triggers
 *		Let a table's triggers tell of its relationships by their names of
 *		now.  Locks the table only if one does not.
 */
void
cascade_refresh_triggers(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	List	   *arguments = cascade_portable_relationships(relid);
	bool		stale = false;

	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (cascade_is_our_trigger(trigger->tgname) && trigger->tgnargs > 0)
			stale |= !has_arguments(trigger, arguments);
	}
	table_close(rel, NoLock);
	if (stale)
		cascade_install_triggers(relid);
}

/*
 * cascade_install_for_truncate
 *		Give a table that others belong to, and its partitions, the trigger
 *		for TRUNCATE; or take it.  A statement trigger is not cloned.
 */
void
cascade_install_for_truncate(Oid relid)
{
	bool		wanted = wants_truncate(relid);
	ListCell   *lc;

	if (get_rel_relkind(relid) == RELKIND_FOREIGN_TABLE)
		return;
	foreach(lc, find_all_inheritors(relid, ShareRowExclusiveLock, NULL))
	{
		Oid			member = lfirst_oid(lc);

		/* inheritance children are tables of their own */
		if ((member == relid || get_rel_relispartition(member)) &&
			get_rel_relkind(member) != RELKIND_FOREIGN_TABLE)
			install_truncate(member, wanted);
	}
}

static void
install_truncate(Oid relid, bool wanted)
{
	Relation	rel = table_open(relid, ShareRowExclusiveLock);
	Trigger    *existing = find_trigger(rel, CASCADE_TRIGGER_TRUNCATE);
	char	   *table = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												   RelationGetRelationName(rel));
	Oid			save_userid;
	int			save_sec_context;

	if (existing)
		check_ours(rel, existing);
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	if (!superuser())			/* whom no schema is closed to */
		SetUserIdAndSecContext(rel->rd_rel->relowner,
							   save_sec_context | SECURITY_LOCAL_USERID_CHANGE);
	if (existing && !wanted)
		execute(psprintf("DROP TRIGGER \"%s\" ON %s", CASCADE_TRIGGER_TRUNCATE, table));
	else if (!existing && wanted)
	{
		execute(psprintf("CREATE TRIGGER \"%s\" AFTER TRUNCATE ON %s FOR EACH STATEMENT"
						 " EXECUTE FUNCTION %s.truncate()", CASCADE_TRIGGER_TRUNCATE, table,
						 quote_identifier(CASCADE_SCHEMA)));
		make_ours(relid, CASCADE_TRIGGER_TRUNCATE,
				  "refuses to empty the table while rows of others belong to it");
	}
	SetUserIdAndSecContext(save_userid, save_sec_context);
	table_close(rel, NoLock);
}

/*
 * cascade_uninstall
 *		Take a table's triggers away for the time of a command that could not
 *		be done with them.  Error 55006 if checks are pending.
 */
void
cascade_uninstall(Oid relid)
{
	Relation	rel = table_open(relid, ShareRowExclusiveLock);
	WantedTrigger wanted[NUM_TRIGGERS];

	cascade_check_not_pending(relid);
	name_triggers(wanted);
	for (int i = 0; i < lengthof(wanted); i++)
	{
		if (find_trigger(rel, wanted[i].name))
			replace_trigger(rel, &wanted[i], true);
	}
	table_close(rel, NoLock);
}

/*
 * cascade_install_without_of
 *		Make the UPDATE triggers that a table has fire for every UPDATE.
 *
 * Looks at nothing but the table: in a parallel restore, other sessions have
 * other tables locked.
 */
void
cascade_install_without_of(Oid relid)
{
	Relation	rel = table_open(relid, ShareRowExclusiveLock);
	WantedTrigger wanted[NUM_TRIGGERS];

	name_triggers(wanted);
	for (int i = 0; i < lengthof(wanted); i++)
	{
		Trigger    *existing = find_trigger(rel, wanted[i].name);

		if (existing == NULL || existing->tgnattr == 0)
			continue;
		check_ours(rel, existing);
		wanted[i].columns = condition_columns(existing, wanted[i].before);
		replace_trigger(rel, &wanted[i], true);
	}
	table_close(rel, NoLock);
}

/*
 * cascade_check_replaced
 *		Error 42710 if a trigger with a name of ours calls another function.
 */
void
cascade_check_replaced(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	WantedTrigger wanted[NUM_TRIGGERS];
	Trigger    *existing;

	name_triggers(wanted);
	for (int i = 0; i < lengthof(wanted); i++)
	{
		existing = find_trigger(rel, wanted[i].name);
		if (existing)
		{
			check_ours(rel, existing);
			if (!wanted[i].before)
				check_condition(rel, existing);
		}
	}
	existing = find_trigger(rel, CASCADE_TRIGGER_TRUNCATE);
	if (existing)
		check_ours(rel, existing);
	table_close(rel, AccessShareLock);
}

/*
 * Error 42710 if a trigger of ours has another condition than a call of ours.
 */
static void
check_condition(Relation rel, const Trigger *trigger)
{
	Node	   *condition = trigger->tgqual ? stringToNode(trigger->tgqual) : NULL;
	char	   *namespace = condition && IsA(condition, FuncExpr) ?
		get_namespace_name(get_func_namespace(((FuncExpr *) condition)->funcid)) : NULL;

	if (namespace == NULL || strcmp(namespace, CASCADE_SCHEMA) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("trigger \"%s\" on table \"%s\" cannot be replaced because relationships need it",
						trigger->tgname, RelationGetRelationName(rel)),
				 errtable(rel)));
}

/*
 * Put a trigger in the place of the one that exists, if any; or none, if it
 * is to have no columns.
 */
static void
replace_trigger(Relation rel, const WantedTrigger *wanted, bool exists)
{
	Oid			save_userid;
	int			save_sec_context;
	char		enabled = exists ? find_trigger(rel, wanted->name)->tgenabled : TRIGGER_FIRES_ON_ORIGIN;

	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	if (!superuser())			/* whom no schema is closed to */
		SetUserIdAndSecContext(rel->rd_rel->relowner,
							   save_sec_context | SECURITY_LOCAL_USERID_CHANGE);
	/* a constraint trigger cannot be replaced, nor can those of partitions */
	if (exists && (wanted->constraint || bms_is_empty(wanted->columns) ||
				   rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE))
	{
		/* a queued event would not find it any more */
		if (wanted->constraint && cascade_pending_is_armed(RelationGetRelid(rel)))
			error_pending(RelationGetRelid(rel));
		execute(psprintf("DROP TRIGGER %s ON %s", quote_identifier(wanted->name),
						 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
													RelationGetRelationName(rel))));
		exists = false;
	}
	if (!bms_is_empty(wanted->columns))
	{
		make_trigger(rel, wanted, exists);
		/* one that is made anew fires when the old one did */
		if (enabled == TRIGGER_FIRES_ON_ORIGIN)
			enabled = remembered_state(RelationGetRelid(rel), wanted->name);
		if (enabled != TRIGGER_FIRES_ON_ORIGIN)
			cascade_enable_trigger(rel, wanted->name, enabled);
	}
	else
	{
		(void) remembered_state(RelationGetRelid(rel), wanted->name);
		if (enabled != TRIGGER_FIRES_ON_ORIGIN)
			remember_state(RelationGetRelid(rel), wanted->name, enabled);
	}
	SetUserIdAndSecContext(save_userid, save_sec_context);
}

/*
 * Between the start of a command that triggers are taken away for and its end,
 * this remembers those that were not enabled as usual.
 */
static void
remember_state(Oid relid, const char *name, char enabled)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(TopTransactionContext);
	TriggerState *state = palloc(sizeof(TriggerState));

	state->relid = relid;
	namestrcpy(&state->name, name);
	state->enabled = enabled;
	state->nest_level = GetCurrentTransactionNestLevel();
	states = lappend(states, state);
	MemoryContextSwitchTo(oldcontext);
}

static char
remembered_state(Oid relid, const char *name)
{
	ListCell   *lc;

	foreach(lc, states)
	{
		TriggerState *state = lfirst(lc);

		if (state->relid == relid && strcmp(NameStr(state->name), name) == 0)
		{
			states = foreach_delete_current(states, lc);
			return state->enabled;
		}
	}
	return TRIGGER_FIRES_ON_ORIGIN;
}

/*
 * cascade_install_subxact_abort
 *		The triggers are there again as they were.
 */
void
cascade_install_subxact_abort(int nest_level)
{
	ListCell   *lc;

	foreach(lc, states)
	{
		if (((TriggerState *) lfirst(lc))->nest_level >= nest_level)
			states = foreach_delete_current(states, lc);
	}
}

/*
 * cascade_install_reset
 *		At the end of a transaction; the memory goes with the transaction's.
 */
void
cascade_install_reset(void)
{
	states = NIL;
}

/*
 * cascade_install_keep
 *		Give a table whose key has become NOT NULL the trigger for that, if
 *		it has the others: in the middle of a restore they are still to come.
 */
void
cascade_install_keep(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	CascadeCache *cache = cascade_cache_pin();
	WantedTrigger wanted[NUM_TRIGGERS];
	bool		others = true;
	bool		fits = true;

	if (find_trigger(rel, CASCADE_TRIGGER_VERIFY_UPDATE) == NULL &&
		find_trigger(rel, CASCADE_TRIGGER_UPDATE) == NULL)
	{
		cascade_cache_unpin(cache);
		table_close(rel, AccessShareLock);
		return;
	}
	want_triggers(cascade_cache_table(cache, relid), wanted, rel);
	cascade_cache_unpin(cache);
	for (int i = 0; i < lengthof(wanted); i++)
	{
		Trigger    *trigger = find_trigger(rel, wanted[i].name);

		if (strcmp(wanted[i].name, CASCADE_TRIGGER_KEEP) == 0 ||
			strcmp(wanted[i].name, CASCADE_TRIGGER_UPDATE) == 0)
			fits &= trigger ? trigger_fits(trigger, &wanted[i]) : bms_is_empty(wanted[i].columns);
		else if (!bms_is_empty(wanted[i].columns) && trigger == NULL)
			others = false;
	}
	table_close(rel, AccessShareLock);
	if (others && !fits)
		cascade_install_triggers(relid);
}

/*
 * cascade_is_our_trigger
 *		Is this the name of one of our triggers?
 */
bool
cascade_is_our_trigger(const char *name)
{
	WantedTrigger wanted[NUM_TRIGGERS];

	name_triggers(wanted);
	for (int i = 0; i < lengthof(wanted); i++)
	{
		if (strcmp(name, wanted[i].name) == 0)
			return true;
	}
	return strcmp(name, CASCADE_TRIGGER_TRUNCATE) == 0;
}

/*
 * cascade_is_installing
 *		Is a command of ours under way that makes or drops triggers?
 */
bool
cascade_is_installing(void)
{
	return installing;
}

/*
 * cascade_check_not_pending
 *		Error 55006 if rows of the table wait for a check, as ALTER TABLE
 *		refuses a table with pending trigger events.
 */
void
cascade_check_not_pending(Oid relid)
{
	if (cascade_pending_on(relid))
		error_pending(relid);
}

static void
error_pending(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("cannot change relationships of table \"%s\" because it has pending orphan checks",
					get_rel_name(relid)),
			 errhint("Commit, or run SET CONSTRAINTS ALL IMMEDIATE."),
			 cascade_errtable(relid)));
}

/*
 * cascade_check_triggers
 *		Error 2BP01 if a trigger that the table's relationships need is
 *		missing, unless we are the ones who have just dropped it.
 */
void
cascade_check_triggers(Oid relid)
{
	Relation	rel;
	CascadeCache *cache;
	WantedTrigger wanted[NUM_TRIGGERS];

	if (installing)
		return;
	rel = table_open(relid, AccessShareLock);
	cache = cascade_cache_pin();
	want_triggers(cascade_cache_table(cache, relid), wanted, rel);
	cascade_cache_unpin(cache);
	for (int i = 0; i < lengthof(wanted); i++)
	{
		if (!bms_is_empty(wanted[i].columns) && find_trigger(rel, wanted[i].name) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop trigger \"%s\" on table \"%s\" because relationships need it",
							wanted[i].name, RelationGetRelationName(rel)),
					 errhint("Use cascade.drop_relationship instead."),
					 errtable(rel)));
	}
	if (wants_truncate(cascade_partition_root(relid)) &&
		find_trigger(rel, CASCADE_TRIGGER_TRUNCATE) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop trigger \"%s\" on table \"%s\" because relationships need it",
						CASCADE_TRIGGER_TRUNCATE, RelationGetRelationName(rel)),
				 errhint("Use cascade.drop_relationship instead."),
				 errtable(rel)));
	table_close(rel, AccessShareLock);
}

/*
 * Does a relationship of the table care for its children?
 */
static bool
wants_truncate(Oid relid)
{
	CascadeCache *cache = cascade_cache_pin();
	CascadeTable *table = cascade_cache_table(cache, relid);
	bool		wanted = false;
	ListCell   *lc;

	foreach(lc, table ? table->ties : NIL)
	{
		CascadeTie *tie = lfirst(lc);

		wanted |= tie->unlink_by || tie->delete_by || tie->nullify_by || tie->enforce_by;
	}
	cascade_cache_unpin(cache);
	return wanted;
}

/*
 * The kinds, none of them wanted yet.
 */
static void
name_triggers(WantedTrigger wanted[NUM_TRIGGERS])
{
	static const WantedTrigger kinds[NUM_TRIGGERS] = {
		[ON_DELETE] = {CASCADE_TRIGGER_DELETE, "run",
			"carries deletions along the table's relationships",
		.event = CAPTURE_DELETE},
		[ON_INSERT] = {CASCADE_TRIGGER_INSERT, "run",
			"looks at rows that have come to reference others, or to another partition",
		.event = CAPTURE_INSERT},
		[ON_UPDATE] = {CASCADE_TRIGGER_UPDATE, "run",
			"carries changes along the table's relationships",
		.event = CAPTURE_UPDATE},
		[VERIFY_DELETE] = {CASCADE_TRIGGER_VERIFY_DELETE, "verify",
			"when constraints are checked, deletes what deleted rows have left behind",
		.constraint = true, .event = CAPTURE_DELETE},
		[VERIFY_INSERT] = {CASCADE_TRIGGER_VERIFY_INSERT, "verify",
			"when constraints are checked, refuses a second reference",
		.constraint = true, .event = CAPTURE_INSERT},
		[VERIFY_UPDATE] = {CASCADE_TRIGGER_VERIFY_UPDATE, "verify",
			"when constraints are checked, deletes what updated rows have left behind",
		.constraint = true, .event = CAPTURE_UPDATE},
		[KEEP] = {CASCADE_TRIGGER_KEEP, "keep_key",
			"lets a row whose NOT NULL key is set to NULL keep it until it is deleted as an orphan",
		.before = true, .event = CAPTURE_UPDATE},
	};

	memcpy(wanted, kinds, sizeof(kinds));
}

static void
want_triggers(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS], Relation rel)
{
	name_triggers(wanted);
	if (table == NULL)
		return;
	want_by_ties(table, wanted);
	want_by_orphans(table, wanted, rel);
	want_by_references(table, wanted);
	want_by_targets(table, wanted);
	want_by_origins(table, wanted);
	want_by_enforced(table, wanted);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		want_for_partitions(wanted, table->losing != NIL);
	for (int i = ON_DELETE; i <= ON_UPDATE; i++)
	{
		if (bms_is_empty(wanted[i].columns))
			continue;
		/* one of them will do */
		wanted[i].arguments = cascade_portable_relationships(table->relid);
		break;
	}
	for (int i = 0; i < NUM_TRIGGERS; i++)
	{
		if (wanted[i].event == CAPTURE_UPDATE && !has_before_trigger(rel))
			wanted[i].of = wanted[i].changes;
	}
}

/*
 * As the parent of its ties.
 */
static void
want_by_ties(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS])
{
	ListCell   *lc;

	foreach(lc, table->ties)
	{
		CascadeTie *tie = lfirst(lc);

		if (tie->unlink_by || tie->delete_by || tie->nullify_by || tie->enforce_by)
			want(&wanted[ON_DELETE], parent_columns(tie));
		if (tie->follow_by || tie->enforce_by)
			want(&wanted[ON_UPDATE], parent_columns(tie));
	}
	foreach(lc, table->propagations)
	{
		CascadeRelationship *prop = lfirst(lc);

		/* the key is taken along, but its changes are none of ours */
		wanted[ON_UPDATE].columns = bms_add_members(wanted[ON_UPDATE].columns,
													parent_columns(prop->tie));
		for (int i = 0; i < prop->npropagate; i++)
			want(&wanted[ON_UPDATE], bms_make_singleton(prop->propagations[i].parent_attno));
	}
}

/*
 * As the target of one-to-many relationships that look for orphans.
 */
static void
want_by_orphans(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS], Relation rel)
{
	ListCell   *lc;

	foreach(lc, table->losing)
	{
		CascadeRelationship *child = lfirst(lc);

		want(&wanted[ON_UPDATE], cascade_tie_child_columns(child->tie));
		if (child->deferred)
			want(&wanted[VERIFY_UPDATE], cascade_tie_child_columns(child->tie));
		if (child->tie->child_not_null)
			want(&wanted[KEEP], not_null_columns(child->tie, rel));
	}
}

/*
 * As the holder of references.
 */
static void
want_by_references(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS])
{
	ListCell   *lc;

	foreach(lc, table->references)
	{
		CascadeRelationship *rel = lfirst(lc);
		bool		counts = (rel->cascade & CASCADE_DELETE_ORPHAN) != 0;
		bool		deletes = counts || (rel->cascade & CASCADE_DELETE);
		Bitmapset  *key = cascade_tie_child_columns(rel->reference);

		if (deletes)
			want(&wanted[ON_DELETE], key);
		want(&wanted[ON_UPDATE], key);
		if (rel->single_parent || cascade_forgives_attached(rel))
			want(&wanted[ON_INSERT], key);
		if (!rel->deferred)
			continue;
		if (deletes)
			want(&wanted[VERIFY_DELETE], key);
		if (counts || rel->single_parent)
			want(&wanted[VERIFY_UPDATE], key);
		if (rel->single_parent)
			want(&wanted[VERIFY_INSERT], key);
	}
}

/*
 * As the target of references: one that is deleted waits for no check.
 */
static void
want_by_targets(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS])
{
	ListCell   *lc;

	foreach(lc, table->referenced)
	{
		CascadeRelationship *rel = lfirst(lc);

		if (rel->cascade & (CASCADE_DELETE | CASCADE_DELETE_ORPHAN))
			want(&wanted[ON_DELETE], parent_columns(rel->reference));
	}
}

/*
 * As the source of many-to-many relationships whose targets go with it.
 */
static void
want_by_origins(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS])
{
	ListCell   *lc;

	foreach(lc, table->origins)
	{
		CascadeRelationship *rel = lfirst(lc);

		want(&wanted[ON_DELETE], parent_columns(rel->tie));
		if (rel->deferred)
			want(&wanted[VERIFY_DELETE], parent_columns(rel->tie));
	}
}

/*
 * As the child of ties whose references are guarded.
 */
static void
want_by_enforced(CascadeTable *table, WantedTrigger wanted[NUM_TRIGGERS])
{
	ListCell   *lc;

	foreach(lc, table->enforced)
	{
		want(&wanted[ON_INSERT], cascade_tie_child_columns(lfirst(lc)));
		want(&wanted[ON_UPDATE], cascade_tie_child_columns(lfirst(lc)));
	}
}

/*
 * An UPDATE that moves a row to another partition deletes and inserts it, and
 * all three must be captured alike.  A partition may have triggers of its own,
 * so OF is not relied upon.
 */
static void
want_for_partitions(WantedTrigger wanted[NUM_TRIGGERS], bool orphans)
{
	Bitmapset  *all = bms_union(wanted[ON_DELETE].columns, wanted[ON_UPDATE].columns);

	all = bms_add_members(all, wanted[ON_INSERT].columns);
	for (int i = ON_DELETE; i <= ON_UPDATE; i++)
		want(&wanted[i], all);
	if (orphans)
		want(&wanted[VERIFY_DELETE], wanted[VERIFY_UPDATE].columns);
}

static void
want(WantedTrigger *trigger, Bitmapset *columns)
{
	trigger->columns = bms_add_members(trigger->columns, columns);
	trigger->changes = bms_add_members(trigger->changes, columns);
}

static Bitmapset *
parent_columns(const CascadeTie *tie)
{
	Bitmapset  *columns = NULL;

	for (int i = 0; i < tie->ncolumns; i++)
		columns = bms_add_member(columns, tie->columns[i].parent_attno);
	return columns;
}

static Bitmapset *
not_null_columns(const CascadeTie *tie, Relation rel)
{
	Bitmapset  *all = cascade_tie_child_columns(tie);
	Bitmapset  *columns = NULL;
	int			attno = -1;

	while ((attno = bms_next_member(all, attno)) >= 0)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

		if (att->attnotnull && att->attgenerated == '\0')
			columns = bms_add_member(columns, attno);
	}
	return columns;
}

/*
 * Has the table a BEFORE UPDATE row trigger that is not ours, or may one of
 * its partitions have one?
 */
static bool
has_before_trigger(Relation rel)
{
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return true;
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (TRIGGER_FOR_ROW(trigger->tgtype) && TRIGGER_FOR_BEFORE(trigger->tgtype) &&
			TRIGGER_FOR_UPDATE(trigger->tgtype) &&
			strcmp(trigger->tgname, CASCADE_TRIGGER_KEEP) != 0)
			return true;
	}
	return false;
}

static Trigger *
find_trigger(Relation rel, const char *name)
{
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		if (strcmp(rel->trigdesc->triggers[i].tgname, name) == 0)
			return &rel->trigdesc->triggers[i];
	}
	return NULL;
}

/*
 * The columns that the condition of one of our triggers reads.
 */
static Bitmapset *
condition_columns(const Trigger *trigger, bool before)
{
	Bitmapset  *offset = NULL;
	Bitmapset  *columns = NULL;
	int			member = -1;

	if (trigger->tgqual == NULL)
		return NULL;
	pull_varattnos(stringToNode(trigger->tgqual),
				   before ? PRS2_NEW_VARNO : PRS2_OLD_VARNO, &offset);
	/* an INSERT trigger's has columns of NEW only */
	if (bms_is_empty(offset))
		pull_varattnos(stringToNode(trigger->tgqual), PRS2_NEW_VARNO, &offset);
	while ((member = bms_next_member(offset, member)) >= 0)
	{
		if (member + FirstLowInvalidHeapAttributeNumber > 0)
			columns = bms_add_member(columns, member + FirstLowInvalidHeapAttributeNumber);
	}
	return columns;
}

/*
 * Does an existing trigger capture the columns that are wanted, on the
 * commands that are wanted?
 */
static bool
trigger_fits(const Trigger *trigger, const WantedTrigger *wanted)
{
	Bitmapset  *of = NULL;

	for (int i = 0; i < trigger->tgnattr; i++)
		of = bms_add_member(of, trigger->tgattr[i]);
	return bms_equal(condition_columns(trigger, wanted->before), wanted->columns) &&
		bms_equal(of, wanted->of) && has_arguments(trigger, wanted->arguments);
}

static bool
has_arguments(const Trigger *trigger, List *arguments)
{
	ListCell   *lc;

	if (trigger->tgnargs != list_length(arguments))
		return false;
	foreach(lc, arguments)
	{
		if (strcmp(trigger->tgargs[foreach_current_index(lc)], lfirst(lc)) != 0)
			return false;
	}
	return true;
}

/*
 * Never replace what somebody else has made.
 */
static void
check_ours(Relation rel, const Trigger *trigger)
{
	char	   *namespace = get_namespace_name(get_func_namespace(trigger->tgfoid));

	if (namespace == NULL || strcmp(namespace, CASCADE_SCHEMA) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("trigger \"%s\" for relation \"%s\" already exists",
						trigger->tgname, RelationGetRelationName(rel)),
				 errdetail("Extension \"cascade\" needs a trigger of this name."),
				 errhint("Rename the trigger."),
				 errtable(rel)));
}

/*
 * CREATE [OR REPLACE] [CONSTRAINT] TRIGGER name AFTER event ON table
 * [DEFERRABLE INITIALLY DEFERRED] FOR EACH ROW WHEN (condition)
 * EXECUTE FUNCTION cascade.function()
 */
static void
make_trigger(Relation rel, const WantedTrigger *wanted, bool replace)
{
	Oid			relid = RelationGetRelid(rel);
	StringInfoData sql;
	ListCell   *lc;
	int			attno = -1;
	int			n = 0;

	if (2 * bms_num_members(wanted->columns) + 3 > FUNC_MAX_ARGS)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("relationships of table \"%s\" need more columns than a trigger can capture",
						RelationGetRelationName(rel)),
				 errdetail("They need %d columns; %d are allowed.",
						   bms_num_members(wanted->columns), (FUNC_MAX_ARGS - 3) / 2),
				 errtable(rel)));
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE %sTRIGGER %s %s %s",
					 wanted->constraint ? "CONSTRAINT " : replace ? "OR REPLACE " : "",
					 quote_identifier(wanted->name),
					 wanted->before ? "BEFORE" : "AFTER",
					 event_words[wanted->event]);
	while ((attno = bms_next_member(wanted->of, attno)) >= 0)
		appendStringInfo(&sql, "%s%s", n++ == 0 ? " OF " : ", ",
						 quote_identifier(get_attname(relid, attno, false)));
	appendStringInfo(&sql, " ON %s%s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %s.%s(",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												RelationGetRelationName(rel)),
					 wanted->constraint ? " DEFERRABLE INITIALLY DEFERRED" : "",
					 trigger_condition(relid, wanted),
					 quote_identifier(CASCADE_SCHEMA), wanted->function);
	foreach(lc, wanted->arguments)
		appendStringInfo(&sql, "%s%s", foreach_current_index(lc) > 0 ? ", " : "",
						 quote_literal_cstr(lfirst(lc)));
	appendStringInfoChar(&sql, ')');
	execute(sql.data);
	make_ours(relid, wanted->name, wanted->comment);
}

/*
 * Mark a trigger as the extension's, with which it goes.
 */
static void
make_ours(Oid relid, const char *name, const char *comment)
{
	ObjectAddress trigger;
	ObjectAddress extension;

	ObjectAddressSet(trigger, TriggerRelationId, get_trigger_oid(relid, name, false));
	ObjectAddressSet(extension, ExtensionRelationId, get_extension_oid("cascade", false));
	deleteDependencyRecordsForClass(TriggerRelationId, trigger.objectId, ExtensionRelationId,
									DEPENDENCY_AUTO_EXTENSION);
	recordDependencyOn(&trigger, &extension, DEPENDENCY_AUTO_EXTENSION);
	CreateComments(trigger.objectId, TriggerRelationId, 0, comment);
	CommandCounterIncrement();
}

/*
 * The condition: our capture function, with what it takes; or for keep_key()
 * that one of the columns is made NULL.
 */
static char *
trigger_condition(Oid relid, const WantedTrigger *wanted)
{
	bool		has_old = wanted->event != CAPTURE_INSERT;
	bool		has_new = wanted->event != CAPTURE_DELETE;
	StringInfoData buf;
	int			attno = -1;
	int			n = 0;

	initStringInfo(&buf);
	if (!wanted->before)
		appendStringInfo(&buf, "%s.%s(%s.tableoid%s%s", quote_identifier(CASCADE_SCHEMA),
						 wanted->constraint ? "to_verify" : "capture",
						 has_old ? "old" : "new",
						 !wanted->constraint && has_old ? ", old.ctid" : "",
						 !wanted->constraint && has_new ? ", new.ctid" : "");
	while ((attno = bms_next_member(wanted->columns, attno)) >= 0)
	{
		const char *column = quote_identifier(get_attname(relid, attno, false));

		if (wanted->before)
			appendStringInfo(&buf, "%snew.%s IS NULL", n++ == 0 ? "" : " OR ", column);
		else
		{
			if (has_old)
				appendStringInfo(&buf, ", old.%s", column);
			if (has_new)
				appendStringInfo(&buf, ", new.%s", column);
		}
	}
	if (!wanted->before)
		appendStringInfoChar(&buf, ')');
	return buf.data;
}

static void
execute(const char *sql)
{
	bool		outer = installing;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	installing = true;
	PG_TRY();
	{
		if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
			elog(ERROR, "SPI_execute failed: %s", sql);
	}
	PG_FINALLY();
	{
		installing = outer;
	}
	PG_END_TRY();
	SPI_finish();
}
