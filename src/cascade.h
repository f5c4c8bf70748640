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
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

#define CASCADE_SCHEMA			"cascade"

/* The triggers; their names must sort before "RI_ConstraintTrigger_" ... */
#define CASCADE_TRIGGER_DELETE	"CASCADE_delete"
#define CASCADE_TRIGGER_INSERT	"CASCADE_insert"
#define CASCADE_TRIGGER_UPDATE	"CASCADE_update"
/* ... the deferrable ones after those above ... */
#define CASCADE_TRIGGER_VERIFY_DELETE	"CASCADE_verify_delete"
#define CASCADE_TRIGGER_VERIFY_INSERT	"CASCADE_verify_insert"
#define CASCADE_TRIGGER_VERIFY_UPDATE	"CASCADE_verify_update"
/* ... and this one when a table has been emptied; ... */
#define CASCADE_TRIGGER_TRUNCATE	"CASCADE_truncate"
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

typedef struct CascadeTie CascadeTie;

/* what a unique index on columns takes for equal */
typedef enum CascadeUnique
{
	CASCADE_UNIQUE_NONE,		/* there is no such index */
	CASCADE_UNIQUE_BY_OTHER,	/* what another operator class does */
	CASCADE_UNIQUE_BY_DEFAULT	/* what the types' own equality does */
} CascadeUnique;

typedef enum CascadeDirection
{
	CASCADE_ONE_TO_MANY,		/* the target holds the key */
	CASCADE_MANY_TO_ONE,		/* the source holds it */
	CASCADE_MANY_TO_MANY,		/* a third table, the secondary, holds two */
} CascadeDirection;

/* What a statement does */
typedef enum CascadeAction
{
	/* to children, by their parents' keys */
	CASCADE_ACTION_UNLINK,		/* delete rows of a secondary */
	CASCADE_ACTION_DELETE,
	CASCADE_ACTION_NULLIFY,
	CASCADE_ACTION_FOLLOW,
	CASCADE_ACTION_PROPAGATE,
	/* to rows that are known by their version */
	CASCADE_ACTION_ORPHAN,		/* delete rows that have no parent */
	CASCADE_ACTION_REMOVE,		/* delete rows whatever their key says */
	CASCADE_ACTION_READ_ROWS,	/* select their keys */
	CASCADE_ACTION_LOCK_ROWS,	/* likewise, against new references */
	/* to parents, by keys that their children held */
	CASCADE_ACTION_FIND,		/* select their own keys */
	CASCADE_ACTION_LOCK_NO_KEY, /* likewise, against another count */
	/* to parents, by their own keys */
	CASCADE_ACTION_LOCK,		/* likewise, against new references */
	CASCADE_ACTION_DELETE_PARENT,	/* delete them */
	CASCADE_ACTION_ORPHAN_PARENT,	/* delete those that have no parent either */
	/* references that are enforced */
	CASCADE_ACTION_SHARE_PARENTS,	/* lock the parents of held keys */
	CASCADE_ACTION_NUMBER_PARENTS,	/* ... and number the keys that have one */
	CASCADE_ACTION_MISSING,		/* which held keys have no parent? */
	CASCADE_ACTION_HELD,		/* which held keys does a child hold now? */
	CASCADE_ACTION_REFERENCED,	/* which parent keys does a child hold? */
	CASCADE_ACTION_VALIDATE,	/* which keys of all have no parent? */
	CASCADE_ACTION_ALL_HELD,	/* which keys do children hold? */
	CASCADE_ACTION_ANY_HELD,	/* does a child hold any key at all? */
	CASCADE_ACTION_DELETE_HOLDERS,	/* delete the children that hold any */
	/* questions */
	CASCADE_ACTION_RECHECK,		/* which parent keys do not exist again? */
	CASCADE_ACTION_UNREFERENCED,	/* which parent keys does no child hold? */
	CASCADE_ACTION_SHARE,		/* lock children before they are counted */
	CASCADE_ACTION_COUNT,		/* which parent key do several children hold? */
	CASCADE_ACTION_COUNT_ALL,	/* which held key do several children hold? */
	CASCADE_ACTION_MATCH,		/* which parent key is equal to which held key? */
} CascadeAction;

#define CASCADE_NUM_ACTIONS		(CASCADE_ACTION_MATCH + 1)

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
	AttrNumber	parent_attno;
	AttrNumber	child_attno;
	Oid			parent_type;	/* base types */
	Oid			child_type;
	Oid			parent_collation;
	Oid			child_collation;
	Oid			eq_opr;			/* parent = child */
	Oid			parent_eq_opr;	/* parent = parent */
	Oid			child_eq_opr;	/* child = child */
	Oid			key_type;		/* type that parents' keys are passed in */
	Oid			key_array;		/* its array type; text[] where it has none */
	Oid			held_type;		/* type that keys held by children are passed in */
	Oid			held_array;
	bool		collate;		/* child needs COLLATE parent_collation */
	bool		any;			/* child = ANY (array) can be hashed */
	bool		parent_any;		/* parent = ANY (array), of parents' keys, */
	bool		held_any;		/* ... and of held ones */
} CascadeColumn;

/*
 * CascadeDiscriminator
 *		A column of the child that must have a certain value for the key to
 *		tie to this parent.
 */
typedef struct CascadeDiscriminator
{
	AttrNumber	attno;
	Oid			type;			/* base type */
	Oid			collation;
	Oid			eq_opr;
	FmgrInfo	eq;
	Datum		value;
	char	   *text;			/* the value as it was declared */
} CascadeDiscriminator;

/*
 * CascadePropagation
 *		A pair of columns, the second of which takes the first's changes.
 */
typedef struct CascadePropagation
{
	AttrNumber	parent_attno;
	AttrNumber	child_attno;
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
	Oid			secondary;		/* InvalidOid but for many-to-many */
	CascadeDirection direction;
	int			cascade;		/* CASCADE_xxx options */
	char	   *foreign_key;	/* NULL where columns were given */
	List	   *source_columns; /* of char * */
	List	   *target_columns;
	List	   *secondary_source_columns;	/* reference source_columns */
	List	   *secondary_target_columns;	/* reference target_columns */
	List	   *discriminator_columns;	/* of the table that holds the key */
	List	   *discriminator_values;
	List	   *propagate_source;	/* of char * */
	List	   *propagate_target;
	bool		single_parent;
	bool		orphan_all;		/* orphan_when => 'all' */
	bool		deferred;
	bool		nullify;
	List	   *nullify_columns;	/* of char *; NIL means all */
	bool		follow_keys;
	bool		enforce;
	bool		rebuilt;		/* see portable.c */

	/* resolved on first use; see resolve.c */
	NameData	source_name;	/* of the table, for messages */
	CascadeTie *tie;			/* its own; the table's may unite several */
	CascadeTie *reference;		/* the tie whose parent is the target; NULL for
								 * one-to-many */
	List	   *alternatives;	/* of CascadeTie, that hold a row as this does */
	bool		alternatives_known;
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
	List	   *secondary_source_columns;
	List	   *secondary_target_columns;
	char	   *direction;
} CascadeTieRequest;

/*
 * CascadeTie
 *		A key that ties a child to a parent, and what happens along it: the
 *		relationships that share a key unite here.
 */
struct CascadeTie
{
	Oid			parent;
	Oid			child;
	int			ncolumns;
	CascadeColumn *columns;		/* in the order of the child's columns */
	int			ndiscriminators;
	CascadeDiscriminator *discriminators;	/* in the order of columns */
	int			npartners;
	AttrNumber *partners;		/* of a link row: columns of its other key, without
								 * which it links nothing */
	bool		parent_unique;	/* the key is unique on the parent, always */
	bool		parent_unique_late; /* ... at the latest when constraints are checked */
	bool		child_indexed;	/* an index leads with a key column or discriminator */
	bool		child_not_null; /* a key column of the child, or a discriminator, is
								 * NOT NULL */
	bool	   *nullify_asked;	/* which columns nullify sets: by one */
	bool	   *nullify_column; /* ... by all that share the key */
	CascadeRelationship *unlink_by; /* the relationship whose links go, */
	CascadeRelationship *delete_by; /* the one that deletes, */
	CascadeRelationship *nullify_by;	/* else the one that nullifies */
	CascadeRelationship *follow_by; /* the one whose keys follow */
	CascadeRelationship *enforce_by;	/* the one that guards the reference */
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
	List	   *links;			/* relationships whose secondary it is */
	List	   *ties;			/* of CascadeTie, as parent */
	List	   *propagations;	/* of CascadeRelationship, as source */
	List	   *orphans;		/* delete-orphan relationships that lead here */
	List	   *losing;			/* those of them that are one-to-many */
	List	   *references;		/* relationships whose references it holds */
	List	   *referenced;		/* those whose references lead here */
	List	   *origins;		/* many-to-many whose targets go with its rows */
	List	   *enforced;		/* of CascadeTie, as child, that are guarded */
} CascadeTable;

typedef struct CascadeCache CascadeCache;
typedef struct CascadeVersions CascadeVersions;

/*
 * CascadeStep
 *		An action under way; the chain of them is the path that an error's
 *		context tells.
 */
typedef struct CascadeStep
{
	const struct CascadeStep *cause;
	int			trigger_depth;	/* at which its statement runs */
	CascadeAction action;
	const CascadeTie *tie;
	const CascadeRelationship *rel;
} CascadeStep;

/*
 * CaptureSet
 *		What the rows of one statement leave to be done; see capture.c.
 */
typedef enum CaptureEvent
{
	CAPTURE_DELETE,
	CAPTURE_INSERT,
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
	Oid			relid;			/* as declared: of a partition, its root */
	Oid			leaf;			/* the table written; relid, or a partition */
	CaptureEvent event;
	bool		queued;			/* an event will fire for it */
	ItemPointerData first;		/* version of the row that armed it */
	MemoryContext execution;	/* of the statement; for comparison only */
	uint64		last_row;		/* when its last row was captured */
	int			nest_level;		/* of the subtransaction */
	const CascadeStep *cause;	/* during which step the rows were written */
	bool		own;			/* ... and by its own statement, not by one of a
								 * trigger */
	MemoryContext context;		/* holds the set and all below */
	int			ncolumns;
	AttrNumber *attnos;			/* of the captured columns */
	bool	   *typbyval;
	int16	   *typlen;
	uint64		nrows;
	uint64		capacity;
	Datum	   *old_values;		/* nrows * ncolumns; not for inserts */
	bool	   *old_nulls;
	Datum	   *new_values;		/* likewise; not for deletes */
	bool	   *new_nulls;
	ItemPointerData *old_tids;	/* the rows' versions, nrows each */
	ItemPointerData *new_tids;
	Oid		   *new_leaves;		/* of rows moved to other partitions; else NULL */
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
	CascadeTable *target;		/* the relationship's; for ORPHAN and LOCK */
	bool		own_level;		/* its triggers fire at its own end */
	uint64		nkeys;
	int			nargs;
	Oid		   *argtypes;
	Datum	   *args;
	char	   *nulls;			/* as SPI takes them */
} CascadeStatement;

/*
 * CascadeRows
 *		Rows of a target table, known by a version of each.
 */
typedef struct CascadeRows
{
	uint64		n;
	uint64		capacity;
	Oid		   *leaves;			/* the table, or the partition, each is in */
	ItemPointerData *tids;
} CascadeRows;

/*
 * PendingBatch
 *		What a statement did to the rows that a relationship guards; see
 *		pending.c.
 */
typedef enum PendingKind
{
	PENDING_ROWS,				/* target rows that lost their parent */
	PENDING_MOVED,				/* target rows that went to another partition */
	PENDING_LOST,				/* keys that a referrer or link held before */
	PENDING_ATTACHED,			/* keys that one has come to hold */
	PENDING_REKEYED,			/* targets' keys, old and new */
	PENDING_GONE,				/* keys of deleted targets */
	PENDING_SOURCES_GONE,		/* keys of deleted sources, many-to-many */
	PENDING_SOURCES_REKEYED,
} PendingKind;

typedef struct PendingBatch
{
	PendingKind kind;
	uint64		run;			/* of which drain; see event.c */
	bool		due;			/* LOST: not only if the source goes, too */
	CascadeRows rows;			/* of ROWS; of MOVED, where they were */
	CascadeRows moved_to;
	CascadeKeys *keys;			/* of the others */
	CascadeKeys *sources;		/* of LOST, many-to-many: the links' other ends */
} PendingBatch;

/*
 * PendingCheck
 *		The batches of a relationship that a check looks at.
 */
typedef struct PendingCheck
{
	Oid			source;			/* the relationship */
	NameData	name;
	List	   *batches;		/* of PendingBatch, oldest first */
	int			nchecked;		/* this many were looked at before */
} PendingCheck;

/* in cascade.c */
extern bool cascade_enabled;
extern bool cascade_trace;
extern int	cascade_max_rows;

/* in options.c */
extern int	cascade_option_of_word(const char *word);
extern int	cascade_parse_options(const char *text);
extern void cascade_warn_of_options(int options, CascadeDirection direction);
extern List *cascade_option_names(int options);

/* in catalog.c */
extern Oid	cascade_catalog_relid(bool missing_ok);
extern List *cascade_catalog_read(void);
extern void cascade_catalog_insert(const CascadeRelationship *rel);
extern void cascade_catalog_update(const CascadeRelationship *rel);
extern void cascade_catalog_delete(Oid source, const char *name);
extern const char *cascade_direction_word(CascadeDirection direction);

/* in cache.c */
extern CascadeCache *cascade_cache_pin(void);
extern void cascade_cache_unpin(CascadeCache *cache);
extern void cascade_cache_unpin_all(void);
extern void cascade_cache_function_oids(CascadeCache *cache, Oid *run, Oid *verify);
extern bool cascade_cache_is_stale(const CascadeCache *cache);
extern CascadeTable *cascade_cache_table(CascadeCache *cache, Oid relid);
extern CascadeRelationship *cascade_cache_relationship(CascadeCache *cache, Oid source,
													   const char *name);
extern Oid	cascade_partition_root(Oid relid);

/* in resolve.c */
extern AttrNumber cascade_resolve_attno(Relation rel, const char *name);
extern void cascade_resolve_relationship(CascadeRelationship *rel);
extern Bitmapset *cascade_tie_child_columns(const CascadeTie *tie);
extern bool cascade_same_key(const CascadeTie *a, const CascadeTie *b);
extern bool cascade_same_columns(const CascadeTie *a, const CascadeTie *b);
extern bool cascade_same_discriminators(const CascadeTie *a, const CascadeTie *b);
extern void cascade_strengthen_tie(CascadeTie *tie, CascadeRelationship *rel, const CascadeTie *own);
extern bool cascade_key_is_referenceable(const CascadeTie *tie, bool immediate, Oid except);
extern CascadeUnique cascade_unique_index(Oid relid, List *columns, Oid except);
extern bool cascade_name_in_list(List *names, const char *name);

/* in ddl.c */
extern EventTriggerData *cascade_check_event_trigger(FunctionCallInfo fcinfo, const char *function);
extern bool cascade_ignores_ddl(void);
extern List *cascade_read_oids(const char *sql);

/* in unique.c */
extern bool cascade_unique_is_lost(CascadeRelationship *rel, Node *parsetree);
extern bool cascade_locked_by_me(Oid relid);

/* in declare.c */
extern void cascade_declare_rebuilt(CascadeRelationship *rel);

/* in tie.c */
extern CascadeDirection cascade_read_direction(const char *word);
extern void cascade_find_tie(CascadeRelationship *rel, const CascadeTieRequest *request);

/* in install.c */
extern void cascade_install_triggers(Oid relid);
extern void cascade_install_without_of(Oid relid);
extern void cascade_check_replaced(Oid relid);
extern void cascade_check_triggers(Oid relid);
extern void cascade_install_keep(Oid relid);
extern bool cascade_is_our_trigger(const char *name);
extern bool cascade_is_installing(void);
extern void cascade_check_not_pending(Oid relid);

extern void cascade_install_reset(void);
extern void cascade_install_subxact_abort(int nest_level);
extern void cascade_refresh_triggers(Oid relid);
extern void cascade_install_for_truncate(Oid relid);
extern void cascade_uninstall(Oid relid);

/* in portable.c */
extern List *cascade_portable_relationships(Oid relid);
extern void cascade_portable_rebuild(const char *json, Oid owner);
extern void cascade_portable_make_room(void);
extern void cascade_portable_settle(void);

/* in truncate.c */
extern void cascade_truncate_init(void);

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

/* in version.c */
extern CascadeVersions *cascade_versions_begin(void);
extern void cascade_versions_moved(CascadeVersions *versions, Oid leaf, const ItemPointerData *tid,
								   Oid new_leaf, const ItemPointerData *new_tid);
extern void cascade_versions_end_of_chain(CascadeVersions *versions, Oid *leaf, ItemPointer tid);
extern void cascade_versions_latest(CascadeVersions *versions, Oid *leaf, ItemPointer tid);
extern void cascade_versions_end(CascadeVersions *versions);

/* in pending.c */
extern PendingBatch *cascade_pending_add(const CascadeRelationship *rel, PendingKind kind,
										 MemoryContext *context);
extern bool cascade_pending_logged(const CascadeRelationship *rel);
extern PendingCheck *cascade_pending_take(const CascadeRelationship *rel);
extern List *cascade_pending_take_deferred(Oid relid);
extern void cascade_pending_forget(const PendingCheck *check);
extern void cascade_pending_trim(void);
extern bool cascade_pending_is_armed(Oid relid);
extern void cascade_pending_arm(Oid relid);
extern bool cascade_pending_any(void);
extern bool cascade_pending_on(Oid relid);
extern void cascade_pending_error_if_undone(void);
extern void cascade_pending_subxact_abort(int nest_level);
extern void cascade_pending_subxact_commit(int nest_level);
extern void cascade_pending_reset(void);

/* in error.c */
extern int	cascade_errtable(Oid relid);
extern int	cascade_errcolumn(Oid relid, const char *column);

/* in event.c */
extern void cascade_event_drain(uint64 first_id);
extern void cascade_event_verify(List *checks);
extern bool cascade_event_is_referenced(CascadeRelationship *rel, Datum *key);
extern uint64 cascade_event_run_alone(CascadeAction action, CascadeTie *tie,
									  CascadeRelationship *rel);
extern bool cascade_event_is_dangling(CascadeTie *tie, CascadeRelationship *rel);
extern void cascade_event_validate(CascadeRelationship *rel,
								   void (*validate) (CascadeRelationship *));
extern uint64 cascade_event_run(CascadeStatement *stmt);
extern const CascadeStep *cascade_event_current_step(void);
extern uint64 cascade_event_current_run(void);
extern void cascade_event_count_rows(uint64 rows);
extern void cascade_event_reset(void);

/* in keyset.c */
extern CascadeKeys *cascade_keys_deleted(List *sets, const CascadeTie *tie);
extern CascadeKeys *cascade_keys_changed(List *sets, const CascadeTie *tie);
extern CascadeKeys *cascade_keys_make(int ncolumns, uint64 capacity, bool changed);
extern CascadeKeys *cascade_keys_copy(const CascadeKeys *keys, const CascadeTie *tie, bool held,
									  MemoryContext context);
extern void cascade_keys_select(CascadeKeys *keys, const uint64 *positions, uint64 n);
extern void cascade_keys_drop_duplicates(CascadeKeys *keys, const CascadeTie *tie, bool held);
extern uint64 *cascade_keys_latest(const CascadeKeys *keys, const CascadeKeys *others,
								   const uint64 *numbers, const CascadeTie *tie);
extern Datum cascade_keys_array(Oid type, Oid array, Datum *values, bool *nulls, uint64 n);

/* in action.c */
extern void cascade_action_delete(List *sets, CascadeTie *tie, CascadeAction action);
extern void cascade_action_follow(List *sets, CascadeTie *tie);
extern void cascade_action_propagate(List *sets, CascadeRelationship *rel);
extern void cascade_action_drop_existing(CascadeKeys *keys, CascadeTie *tie,
										 CascadeRelationship *rel, bool certain);
extern uint64 *cascade_action_positions(uint64 n);
extern uint64 cascade_action_piece(const CascadeKeys *keys, const CascadeTie *tie, bool held,
								   uint64 first);

/* in orphan.c */
extern CascadeRows *cascade_orphans_collect(const CaptureSet *set, CascadeTable *table);
extern void cascade_orphans_verify(CascadeTable *table, CascadeRelationship *rel,
								   const PendingCheck *check, bool own_level);
extern void cascade_orphans_remove(CascadeTable *table, CascadeRows *rows);

/* in reference.c */
extern bool cascade_tie_has_key(const CascadeTie *tie, const CaptureSet *set, uint64 row, bool new);
extern bool cascade_tie_holds(const CascadeTie *tie, const CaptureSet *set, uint64 row, bool new);
extern bool cascade_set_came_by(const CaptureSet *set, CascadeAction action, const CascadeTie *tie);
extern bool cascade_has_before_trigger(Oid relid, CaptureEvent event);
extern CascadeKeys *cascade_held_keys(const CascadeTie *tie, const CaptureSet *set,
									  const uint64 *rows, uint64 n, bool new);
extern bool cascade_forgives_attached(const CascadeRelationship *rel);
extern void cascade_references_lost(CascadeTable *table, List *sets);
extern void cascade_references_rekeyed(CascadeTable *table, List *updated);
extern void cascade_references_gone(CascadeTable *table, List *sets);
extern void cascade_references_attached(CascadeTable *table, List *sets);
extern void cascade_origins_gone(CascadeTable *table, List *sets);

/* in verify.c */
extern List *cascade_verify_counted(CascadeRelationship *rel, CascadeTable *target);
extern void cascade_verify_check(CascadeCache *cache, PendingCheck *check, bool own_level);
extern uint64 *cascade_verify_drop_referenced(List *counted, SPITupleTable *found, int column,
											  uint64 *n);
extern void cascade_verify_single(CascadeRelationship *rel, CascadeKeys *keys);
extern void cascade_verify_all_single(CascadeRelationship *rel);
extern uint64 *cascade_verify_unreferenced(CascadeRelationship *rel, CascadeKeys *keys,
										   uint64 *n);

/* in enforce.c */
extern List *cascade_enforce_collect(List *checks, CascadeTable *table, List *sets);
extern void cascade_enforce_check(CascadeCache *cache, List *checks);
extern void cascade_enforce_validate(CascadeRelationship *rel);
extern bool cascade_enforce_is_dangling(CascadeTie *tie, CascadeRelationship *rel);

/* in query.c */
extern char *cascade_query_text(const CascadeStatement *stmt);

/* in plan.c */
extern CascadeStatement *cascade_statement_begin(CascadeAction action, CascadeTie *tie,
												 CascadeRelationship *rel, uint64 nkeys,
												 bool indexed);
extern void cascade_statement_argument(CascadeStatement *stmt, Oid type, Datum value,
									   bool isnull);
extern void cascade_statement_values(CascadeStatement *stmt, Oid type, Oid array, Datum *values,
									 bool *nulls, uint64 n);
extern void cascade_statement_keys(CascadeStatement *stmt, Datum **values, uint64 first, uint64 n);
extern void cascade_statement_held_keys(CascadeStatement *stmt, Datum **values, uint64 first,
										uint64 n);
extern void cascade_statement_numbers(CascadeStatement *stmt, uint64 n);
extern Oid	cascade_statement_table(const CascadeStatement *stmt, LOCKMODE *lockmode);
extern uint64 cascade_statement_run(CascadeStatement *stmt);
extern void cascade_plan_reset(void);
extern const char *cascade_action_word(CascadeAction action);

#endif							/* CASCADE_H */
