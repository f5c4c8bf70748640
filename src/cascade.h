/*-------------------------------------------------------------------------
 *
 * cascade.h
 *	  types and prototypes of the cascade extension
 *
 * The way of the data, whatever the event:
 *
 *		event (trigger.c, capture.c) -> key set (keyset.c) -> action
 *		(action.c, orphan.c) -> plan (query.c, plan.c) -> run (plan.c)
 *
 * A trigger's WHEN condition takes the key of each row as it is written
 * (capture.c).  The first trigger event of the statement, which sorts before
 * those of the foreign keys, drains what was taken (event.c): one statement
 * per relationship, whose own rows are captured in turn, until nothing is
 * left.  So a cascade is finished, through every depth, before the first
 * foreign key is checked, and its depth is a loop and not a recursion.
 *
 * Copyright (c) 2026, cascade contributors
 *
 *-------------------------------------------------------------------------
 */
#ifndef CASCADE_H
#define CASCADE_H

#include "access/attnum.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"

#define CASCADE_SCHEMA			"cascade"

/* The triggers; their names must sort before "RI_ConstraintTrigger_" ... */
#define CASCADE_TRIGGER_DELETE	"CASCADE_delete"
#define CASCADE_TRIGGER_UPDATE	"CASCADE_update"
#define CASCADE_TRIGGER_ORPHAN	"CASCADE_orphan"
/* ... but for this one, which must see what other BEFORE triggers made. */
#define CASCADE_TRIGGER_KEEP	"~CASCADE_keep"

/* Cascade options, SQLAlchemy's words */
#define CASCADE_SAVE_UPDATE		0x01
#define CASCADE_MERGE			0x02
#define CASCADE_REFRESH_EXPIRE	0x04
#define CASCADE_EXPUNGE			0x08
#define CASCADE_DELETE			0x10
#define CASCADE_DELETE_ORPHAN	0x20
#define CASCADE_ALL				0x1F	/* holds no delete-orphan */

#define CASCADE_ONE_TO_MANY		"one-to-many"

typedef struct CascadeTie CascadeTie;

/* What a statement does */
typedef enum CascadeAction
{
	CASCADE_ACTION_DELETE,
	CASCADE_ACTION_NULLIFY,
	CASCADE_ACTION_FOLLOW,
	CASCADE_ACTION_PROPAGATE,
	CASCADE_ACTION_ORPHAN,		/* delete rows that have no parent */
	CASCADE_ACTION_REMOVE,		/* delete rows whatever their key says */
	CASCADE_ACTION_RECHECK,		/* which source keys do not exist again */
} CascadeAction;

#define CASCADE_NUM_ACTIONS		(CASCADE_ACTION_RECHECK + 1)

/* How a statement gets its keys, chosen by their number; see plan.c */
typedef enum CascadeShape
{
	CASCADE_SHAPE_ONE,			/* a parameter per key column, saved plan */
	CASCADE_SHAPE_SOME,			/* an array per key column, generic plan */
	CASCADE_SHAPE_MANY,			/* the same, planned anew for these keys */
} CascadeShape;

#define CASCADE_NUM_SHAPES		(CASCADE_SHAPE_MANY + 1)

/*
 * CascadeColumn
 *		A pair of key columns, and how their values are compared.
 */
typedef struct CascadeColumn
{
	AttrNumber	source_attno;
	AttrNumber	target_attno;
	Oid			source_type;	/* base types */
	Oid			target_type;
	Oid			source_collation;
	Oid			target_collation;
	Oid			eq_opr;			/* source = target */
	Oid			source_eq_opr;	/* source = source */
	Oid			key_type;		/* type the keys are passed in */
	Oid			key_array;		/* its array type; text[] where it has none */
	bool		collate;		/* target needs COLLATE source_collation */
	bool		any;			/* target = ANY (array) can be hashed */
} CascadeColumn;

/*
 * CascadePropagation
 *		A pair of columns, the second of which takes the first's changes.
 */
typedef struct CascadePropagation
{
	AttrNumber	source_attno;
	AttrNumber	target_attno;
	Oid			eq_opr;			/* source = target */
	Oid			type;			/* the source's */
	Oid			array;			/* its array type; text[] where it has none */
} CascadePropagation;

/*
 * CascadeRelationship
 *		A row of cascade.relationship.  Columns are known by name here; the
 *		tie, made on first use, knows them by number.
 */
typedef struct CascadeRelationship
{
	Oid			source;
	NameData	name;
	Oid			target;
	int			cascade;		/* CASCADE_xxx options */
	char	   *foreign_key;	/* NULL where columns were given */
	List	   *source_columns; /* of char * */
	List	   *target_columns;
	List	   *propagate_source;	/* of char * */
	List	   *propagate_target;
	bool		single_parent;
	bool		orphan_all;		/* orphan_when => 'all' */
	bool		deferred;
	bool		nullify;
	List	   *nullify_columns;	/* of char *; NIL means all */
	bool		follow_keys;

	/* resolved on first use; see resolve.c */
	NameData	source_name;	/* of the table, for messages */
	CascadeTie *tie;			/* its own; the table's may unite several */
	int			npropagate;
	CascadePropagation *propagations;
	SPIPlanPtr	plans[CASCADE_NUM_ACTIONS][CASCADE_NUM_SHAPES];
} CascadeRelationship;

/*
 * CascadeTieRequest
 *		What a declaration says of the tie; NULL and NIL were not given.
 */
typedef struct CascadeTieRequest
{
	char	   *foreign_key;
	List	   *source_columns; /* of char * */
	List	   *target_columns;
	char	   *direction;
} CascadeTieRequest;

/*
 * CascadeTie
 *		A key that ties a target to a source, and what happens along it: the
 *		relationships that share a key unite here.
 */
struct CascadeTie
{
	Oid			source;
	Oid			target;
	int			ncolumns;
	CascadeColumn *columns;		/* in the order of the target's columns */
	bool		source_unique;	/* the key is unique on the source, always */
	bool		source_unique_late; /* ... at the latest when constraints are checked */
	bool		target_indexed; /* an index leads with a key column */
	bool		target_not_null;	/* a key column of the target is NOT NULL */
	bool	   *nullify_asked;	/* which columns nullify sets: by one */
	bool	   *nullify_column; /* ... by all that share the key */
	CascadeRelationship *delete_by; /* the relationship that deletes, */
	CascadeRelationship *nullify_by;	/* else the one that nullifies */
	CascadeRelationship *follow_by; /* the one whose keys follow */
	SPIPlanPtr	plans[CASCADE_NUM_ACTIONS][CASCADE_NUM_SHAPES];
};

/*
 * CascadeTable
 *		What is declared on, and leads to, one table.  Lives in the backend's
 *		cache (cache.c).
 */
typedef struct CascadeTable
{
	Oid			relid;			/* hash key; must be first */
	bool		resolved;
	List	   *declared;		/* relationships whose source it is */
	List	   *led_to;			/* relationships whose target it is */
	List	   *ties;			/* of CascadeTie, as source */
	List	   *propagations;	/* of CascadeRelationship, as source */
	List	   *orphans;		/* delete-orphan relationships that lead here */
} CascadeTable;

typedef struct CascadeCache CascadeCache;

/*
 * CascadeStep
 *		An action under way; the chain of them is the path that an error's
 *		context tells.
 */
typedef struct CascadeStep
{
	const struct CascadeStep *cause;
	CascadeAction action;
	const CascadeRelationship *rel;
} CascadeStep;

/*
 * CaptureSet
 *		What the rows of one statement leave to be done; see capture.c.
 */
typedef enum CaptureEvent
{
	CAPTURE_DELETE,
	CAPTURE_UPDATE,
} CaptureEvent;

/* What became of an updated row later in the same round; see compose.c */
typedef enum CaptureRowState
{
	CAPTURE_ROW_LIVE,			/* nothing, or later changes were added to it */
	CAPTURE_ROW_MERGED,			/* this is a later change, added to an earlier one */
	CAPTURE_ROW_GONE,			/* it was deleted */
} CaptureRowState;

typedef struct CaptureSet
{
	uint64		id;				/* in order of creation */
	Oid			relid;
	CaptureEvent event;
	ItemPointerData first;		/* old version of the row that armed it */
	int			nest_level;		/* of the subtransaction */
	const CascadeStep *cause;	/* what wrote the rows, if we did */
	MemoryContext context;		/* holds the set and all below */
	int			ncolumns;
	AttrNumber *attnos;			/* of the captured columns */
	bool	   *typbyval;
	int16	   *typlen;
	uint64		nrows;
	uint64		capacity;
	Datum	   *old_values;		/* nrows * ncolumns */
	bool	   *old_nulls;
	Datum	   *new_values;		/* for updates only */
	bool	   *new_nulls;
	ItemPointerData *old_tids;	/* the rows' versions, nrows each */
	ItemPointerData *new_tids;	/* for updates only */
	bool		watches_orphans;	/* they are looked for at statement end */
	bool	   *condemned;		/* keep_key() restored the row's key, if so */
	CaptureRowState *states;	/* NULL: all are their row's only change */
} CaptureSet;

/*
 * CascadeKeys
 *		A key set: arrays of keys, one per column, without NULLs and
 *		duplicates.  For updates the new keys stand beside the old ones.
 */
typedef struct CascadeKeys
{
	uint64		nkeys;
	int			ncolumns;
	Datum	  **values;			/* [ncolumns][nkeys] */
	Datum	  **new_values;		/* likewise; NULL for deletes */
	bool	  **new_nulls;
} CascadeKeys;

/*
 * CascadeStatement
 *		What is to be run: an action along a tie, for a relationship, and its
 *		parameters.
 */
typedef struct CascadeStatement
{
	CascadeAction action;
	CascadeShape shape;
	CascadeTie *tie;
	CascadeRelationship *rel;	/* whose it is, for plans and messages */
	List	   *orphans;		/* of the target; for ORPHAN */
	bool		own_level;		/* its triggers fire at its own end */
	uint64		nkeys;
	int			nargs;
	Oid		   *argtypes;
	Datum	   *args;
	char	   *nulls;			/* as SPI takes them */
} CascadeStatement;

/*
 * PendingCheck
 *		Rows of a table that lost their parent by one relationship.
 */
typedef struct PendingCheck
{
	Oid			target;
	Oid			source;			/* the relationship */
	NameData	name;
	bool		condemned;		/* they go, whatever their keys say */
	uint64		ntids;
	ItemPointerData *tids;
} PendingCheck;

/* in cascade.c */
extern bool cascade_enabled;
extern bool cascade_trace;
extern int	cascade_max_rows;

/* in options.c */
extern int	cascade_option_of_word(const char *word);
extern int	cascade_parse_options(const char *text);
extern List *cascade_option_names(int options);

/* in catalog.c */
extern Oid	cascade_catalog_relid(bool missing_ok);
extern List *cascade_catalog_read(void);
extern void cascade_catalog_insert(const CascadeRelationship *rel);
extern void cascade_catalog_update(const CascadeRelationship *rel);
extern void cascade_catalog_delete(Oid source, const char *name);

/* in cache.c */
extern CascadeCache *cascade_cache_pin(void);
extern void cascade_cache_unpin(CascadeCache *cache);
extern void cascade_cache_unpin_all(void);
extern void cascade_cache_function_oids(CascadeCache *cache, Oid *run, Oid *check_orphans);
extern bool cascade_cache_is_stale(const CascadeCache *cache);
extern CascadeTable *cascade_cache_table(CascadeCache *cache, Oid relid);
extern CascadeRelationship *cascade_cache_relationship(CascadeCache *cache, Oid source,
													   const char *name);

/* in resolve.c */
extern AttrNumber cascade_resolve_attno(Relation rel, const char *name);
extern CascadeTie *cascade_resolve_relationship(CascadeRelationship *rel);
extern bool cascade_same_key(const CascadeTie *a, const CascadeTie *b);
extern void cascade_strengthen_tie(CascadeTie *tie, CascadeRelationship *rel);
extern bool cascade_name_in_list(List *names, const char *name);

/* in tie.c */
extern void cascade_find_tie(CascadeRelationship *rel, const CascadeTieRequest *request);

/* in install.c */
extern void cascade_install_triggers(Oid relid);
extern void cascade_install_without_of(Oid relid);
extern void cascade_check_replaced(Oid relid);
extern void cascade_check_triggers(Oid relid);
extern void cascade_install_keep(Oid relid);
extern bool cascade_is_our_trigger(const char *name);
extern void cascade_check_not_pending(Oid relid);

/* in capture.c */
extern CaptureSet *cascade_capture_match(Relation rel, CaptureEvent event, ItemPointer tid);
extern List *cascade_capture_take(uint64 first_id, uint64 firing, MemoryContext context);
extern int	cascade_capture_column(const CaptureSet *set, AttrNumber attno);
extern bool cascade_capture_changed(const CaptureSet *set, uint64 row, int column);
extern bool cascade_capture_has_column(const CaptureSet *set, AttrNumber attno);
extern void cascade_capture_reset(void);
extern void cascade_capture_subxact_abort(int nest_level);

/* in trigger.c */
extern TriggerData *cascade_check_trigger(FunctionCallInfo fcinfo, const char *function,
										  TriggerEvent timing, bool fired_right);

/* in keep.c */
extern Bitmapset *cascade_keep_take(Oid relid, ItemPointer tid);
extern void cascade_keep_reset(void);
extern void cascade_keep_subxact_abort(int nest_level);

/* in compose.c */
extern void cascade_compose(List *sets);

/* in pending.c */
extern void cascade_pending_add(Oid target, Oid source, const char *name, ItemPointer tid);
extern bool cascade_pending_arm(Oid target);
extern List *cascade_pending_take(Oid target);
extern bool cascade_pending_on(Oid target);
extern void cascade_pending_subxact_abort(int nest_level);
extern void cascade_pending_subxact_commit(int nest_level);
extern void cascade_pending_reset(void);

/* in error.c */
extern int	cascade_errtable(Oid relid);
extern int	cascade_errcolumn(Oid relid, const char *column);

/* in event.c */
extern void cascade_event_drain(uint64 first_id);
extern void cascade_event_check(List *checks);
extern uint64 cascade_event_run(CascadeStatement *stmt);
extern const CascadeStep *cascade_event_current_step(void);
extern void cascade_event_count_rows(uint64 rows);
extern void cascade_event_reset(void);

/* in keyset.c */
extern CascadeKeys *cascade_keys_deleted(List *sets, const CascadeTie *tie);
extern CascadeKeys *cascade_keys_changed(List *sets, const CascadeTie *tie);
extern void cascade_keys_select(CascadeKeys *keys, const uint64 *positions, uint64 n);
extern Datum cascade_keys_array(Oid type, Oid array, Datum *values, bool *nulls, uint64 n);

/* in action.c */
extern void cascade_action_delete(List *sets, CascadeTie *tie, CascadeAction action);
extern void cascade_action_follow(List *sets, CascadeTie *tie);
extern void cascade_action_propagate(List *sets, CascadeRelationship *rel);

/* in orphan.c */
extern List *cascade_orphans_collect(List *checks, const CaptureSet *set, List *orphans);
extern void cascade_orphans_delete(CascadeCache *cache, PendingCheck *check, bool own_level);
extern bool cascade_orphan_without(const CascadeRelationship *rel, List *orphans,
								   const bool *nulls);

/* in query.c */
extern char *cascade_query_text(const CascadeStatement *stmt);

/* in plan.c */
extern CascadeStatement *cascade_statement_begin(CascadeAction action, CascadeTie *tie,
												 CascadeRelationship *rel, uint64 nkeys,
												 bool indexed);
extern void cascade_statement_argument(CascadeStatement *stmt, Oid type, Datum value,
									   bool isnull);
extern uint64 cascade_statement_run(CascadeStatement *stmt);
extern void cascade_plan_reset(void);
extern const char *cascade_action_word(CascadeAction action);

#endif							/* CASCADE_H */
