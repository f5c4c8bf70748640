/*-------------------------------------------------------------------------
 *
 * cache.c
 *	  the backend's cache of the declared relationships
 *
 * The catalog is read once, whole, into a memory context of its own; what is
 * needed of a table (column numbers, operators, saved plans) is resolved on
 * first use.  Relcache invalidation of the catalog or of any table in it
 * marks the cache stale, and the next look-up reads it again.  The callback
 * only marks, because it can come at any catalog access; whoever walks
 * through the cache while running SQL pins it, and a stale cache goes when
 * its last pin does.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/cache.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cascade.h"
#include "catalog/partition.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

struct CascadeCache
{
	MemoryContext context;		/* holds all of it but the plans */
	HTAB	   *tables;			/* of CascadeTable */
	List	   *relationships;	/* all of them */
	List	   *ties;			/* all ties resolved, for their plans */
	Oid			catalog_relid;
	Oid			run;			/* our trigger functions */
	Oid			verify;
	bool		stale;
	int			pins;
};

/* the one to use, and the ones that only their pins keep */
static CascadeCache *current_cache = NULL;
static List *pinned_caches = NIL;

static CascadeCache *load_cache(void);
static void free_cache(CascadeCache *cache);
static void free_plans(SPIPlanPtr plans[CASCADE_NUM_ACTIONS][CASCADE_NUM_SHAPES]);
static Oid	find_function(char *name);
static CascadeTable *enter_table(CascadeCache *cache, Oid relid);
static void resolve_table(CascadeCache *cache, CascadeTable *table);
static void resolve_ends(CascadeCache *cache, CascadeTable *table, List *rels);
static void add_enforced(CascadeTable *table, CascadeTie *tie);
static void resolve_own_ties(CascadeCache *cache, CascadeRelationship *rel);
static void unite_tie(CascadeTable *table, CascadeRelationship *rel, CascadeTie *tie);
static void find_alternatives(CascadeCache *cache, CascadeRelationship *rel);
static bool holds_as_well(const CascadeTie *tie, const CascadeTie *other, bool same_parent);
static void relcache_callback(Datum arg, Oid relid);

/*
 * cascade_cache_pin
 *		The cache, true as of now.  Stays in memory, if not true, until
 *		cascade_cache_unpin() or the end of the transaction.
 */
CascadeCache *
cascade_cache_pin(void)
{
	if (current_cache == NULL || current_cache->stale)
	{
		CascadeCache *old = current_cache;

		current_cache = load_cache();
		if (old && old->pins == 0)
			free_cache(old);
		else if (old)
		{
			MemoryContext oldcontext = MemoryContextSwitchTo(CacheMemoryContext);

			pinned_caches = lappend(pinned_caches, old);
			MemoryContextSwitchTo(oldcontext);
		}
	}
	current_cache->pins++;
	return current_cache;
}

void
cascade_cache_unpin(CascadeCache *cache)
{
	Assert(cache->pins > 0);
	cache->pins--;
	if (cache != current_cache && cache->pins == 0)
	{
		pinned_caches = list_delete_ptr(pinned_caches, cache);
		free_cache(cache);
	}
}

/*
 * cascade_cache_unpin_all
 *		At the end of a transaction, drop the pins that errors left.
 */
void
cascade_cache_unpin_all(void)
{
	if (current_cache)
		current_cache->pins = 0;
	while (pinned_caches != NIL)
	{
		CascadeCache *cache = linitial(pinned_caches);

		pinned_caches = list_delete_first(pinned_caches);
		free_cache(cache);
	}
}

/*
 * cascade_cache_function_oids
 *		OIDs of the trigger functions that our conditions belong to.
 */
void
cascade_cache_function_oids(CascadeCache *cache, Oid *run, Oid *verify)
{
	*run = cache->run;
	*verify = cache->verify;
}

bool
cascade_cache_is_stale(const CascadeCache *cache)
{
	return cache->stale;
}

/*
 * cascade_cache_table
 *		What is declared on and leads to a table; NULL if nothing is.
 */
CascadeTable *
cascade_cache_table(CascadeCache *cache, Oid relid)
{
	CascadeTable *table = hash_search(cache->tables, &relid, HASH_FIND, NULL);

	if (table && !table->resolved)
		resolve_table(cache, table);
	return table;
}

/*
 * cascade_cache_relationship
 *		The relationship of this source and name; NULL if there is none.
 *		Its ties are resolved only with one of its tables.
 */
CascadeRelationship *
cascade_cache_relationship(CascadeCache *cache, Oid source, const char *name)
{
	CascadeTable *table = hash_search(cache->tables, &source, HASH_FIND, NULL);
	ListCell   *lc;

	if (table == NULL)
		return NULL;
	foreach(lc, table->declared)
	{
		CascadeRelationship *rel = lfirst(lc);

		if (strcmp(NameStr(rel->name), name) == 0)
			return rel;
	}
	return NULL;
}

/*
 * Read the catalog.  Made invalid while it is read, it is stale from the
 * start: the callback finds it through loading_cache.
 */
static CascadeCache *loading_cache = NULL;

static CascadeCache *
load_cache(void)
{
	static bool registered = false;
	MemoryContext context;
	MemoryContext oldcontext;
	CascadeCache *cache;
	HASHCTL		ctl;
	ListCell   *lc;

	/* before the first look-up, so that no change is missed */
	if (!registered)
	{
		if (!CacheMemoryContext)
			CreateCacheMemoryContext();
		CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
		registered = true;
	}

	/* below the caller's context until it is whole: an error frees it */
	context = AllocSetContextCreate(CurrentMemoryContext,
									"cascade relationships",
									ALLOCSET_DEFAULT_SIZES);
	oldcontext = MemoryContextSwitchTo(context);
	cache = palloc0(sizeof(CascadeCache));
	cache->context = context;
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(CascadeTable);
	ctl.hcxt = context;
	cache->tables = hash_create("cascade tables", 64, &ctl,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	loading_cache = cache;
	PG_TRY();
	{
		cache->catalog_relid = cascade_catalog_relid(true);
		if (OidIsValid(cache->catalog_relid))
		{
			cache->relationships = cascade_catalog_read();
			cache->run = find_function("run");
			cache->verify = find_function("verify");
		}
		else
			cache->stale = true;	/* look again: it can come any time */
	}
	PG_FINALLY();
	{
		loading_cache = NULL;
	}
	PG_END_TRY();

	foreach(lc, cache->relationships)
	{
		CascadeRelationship *rel = lfirst(lc);

		enter_table(cache, rel->source)->declared =
			lappend(enter_table(cache, rel->source)->declared, rel);
		enter_table(cache, rel->target)->led_to =
			lappend(enter_table(cache, rel->target)->led_to, rel);
		if (OidIsValid(rel->secondary))
			enter_table(cache, rel->secondary)->links =
				lappend(enter_table(cache, rel->secondary)->links, rel);
	}
	MemoryContextSwitchTo(oldcontext);
	MemoryContextSetParent(context, CacheMemoryContext);
	return cache;
}

static Oid
find_function(char *name)
{
	return LookupFuncName(list_make2(makeString(CASCADE_SCHEMA), makeString(name)), 0, NULL, true);
}

static CascadeTable *
enter_table(CascadeCache *cache, Oid relid)
{
	bool		found;
	CascadeTable *table = hash_search(cache->tables, &relid, HASH_ENTER, &found);

	if (!found)
	{
		memset(table, 0, sizeof(CascadeTable));
		table->relid = relid;
	}
	return table;
}

/*
 * Find out what the table's relationships do.  Lists are filled anew if an
 * error cut an earlier try short.
 */
static void
resolve_table(CascadeCache *cache, CascadeTable *table)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(cache->context);

	table->ties = NIL;
	table->propagations = NIL;
	table->orphans = NIL;
	table->losing = NIL;
	table->references = NIL;
	table->referenced = NIL;
	table->origins = NIL;
	table->enforced = NIL;
	resolve_ends(cache, table, table->declared);
	resolve_ends(cache, table, table->led_to);
	resolve_ends(cache, table, table->links);
	table->resolved = true;
	MemoryContextSwitchTo(oldcontext);
}

/*
 * What these relationships make of the table, at whichever end of them it is.
 * One that begins and ends at the table is in two lists.
 */
static void
resolve_ends(CascadeCache *cache, CascadeTable *table, List *rels)
{
	ListCell   *lc;

	foreach(lc, rels)
	{
		CascadeRelationship *rel = lfirst(lc);

		resolve_own_ties(cache, rel);
		if (rel->tie->parent == table->relid && rels != table->links)
		{
			if (rel->direction != CASCADE_MANY_TO_MANY || rels == table->declared)
				unite_tie(table, rel, rel->tie);
		}
		if (rels == table->led_to && rel->direction == CASCADE_MANY_TO_MANY)
			unite_tie(table, rel, rel->reference);
		if (rels == table->declared && rel->npropagate > 0 && (rel->cascade & CASCADE_SAVE_UPDATE))
			table->propagations = lappend(table->propagations, rel);
		if (rels == table->declared && rel->direction == CASCADE_MANY_TO_MANY &&
			cascade_forgives_attached(rel))
			table->origins = lappend(table->origins, rel);
		if (rels == table->led_to && (rel->cascade & CASCADE_DELETE_ORPHAN))
		{
			find_alternatives(cache, rel);
			table->orphans = lappend(table->orphans, rel);
			if (rel->direction == CASCADE_ONE_TO_MANY)
				table->losing = lappend(table->losing, rel);
		}
		add_enforced(table, rel->tie);
		if (rel->reference != NULL)
			add_enforced(table, rel->reference);
		if (rel->direction == CASCADE_ONE_TO_MANY ||
			!(rel->single_parent || (rel->cascade & (CASCADE_DELETE | CASCADE_DELETE_ORPHAN))))
			continue;
		if (rels == (rel->direction == CASCADE_MANY_TO_ONE ? table->declared : table->links))
			table->references = lappend(table->references, rel);
		if (rels == table->led_to)
			table->referenced = lappend(table->referenced, rel);
	}
}

/*
 * Put a tie whose references are guarded on the child's list, once.
 */
static void
add_enforced(CascadeTable *table, CascadeTie *tie)
{
	ListCell   *lc;

	if (tie->enforce_by == NULL || tie->child != table->relid)
		return;
	foreach(lc, table->enforced)
	{
		if (cascade_same_key(lfirst(lc), tie))
			return;
	}
	table->enforced = lappend(table->enforced, tie);
}

/*
 * Resolve the ties of a relationship, unless another of its tables has done
 * it.
 */
static void
resolve_own_ties(CascadeCache *cache, CascadeRelationship *rel)
{
	if (rel->tie != NULL)
		return;
	cascade_resolve_relationship(rel);
	cache->ties = lappend(cache->ties, rel->tie);
	if (rel->reference != NULL && rel->reference != rel->tie)
		cache->ties = lappend(cache->ties, rel->reference);
}

/*
 * Put a relationship with the ones that share its key: delete wins over
 * nullify, nullify over nothing.
 */
static void
unite_tie(CascadeTable *table, CascadeRelationship *rel, CascadeTie *tie)
{
	CascadeTie *united = NULL;
	ListCell   *lc;

	foreach(lc, table->ties)
	{
		if (cascade_same_key(lfirst(lc), tie))
			united = lfirst(lc);
	}
	if (united == NULL)
	{
		united = tie;
		table->ties = lappend(table->ties, united);
	}
	cascade_strengthen_tie(united, rel, tie);
}

/*
 * Find the relationships that hold a row as this one does, because they share
 * a key column of a table and tell their rows apart by discriminators: of a
 * comment, those by which a photo is its parent and not a post.
 */
static void
find_alternatives(CascadeCache *cache, CascadeRelationship *rel)
{
	bool		same_parent = rel->reference != NULL;
	CascadeTie *tie = same_parent ? rel->reference : rel->tie;
	ListCell   *lc;

	if (rel->alternatives_known)
		return;
	foreach(lc, cache->relationships)
	{
		CascadeRelationship *other = lfirst(lc);

		if (other == rel || (tie->ndiscriminators == 0 && other->discriminator_columns == NIL) ||
			(other->source != tie->child && other->target != tie->child &&
			 other->secondary != tie->child))
			continue;
		resolve_own_ties(cache, other);
		if (holds_as_well(tie, other->tie, same_parent))
			rel->alternatives = lappend(rel->alternatives, other->tie);
		if (other->reference != NULL && other->reference != other->tie &&
			holds_as_well(tie, other->reference, same_parent))
			rel->alternatives = lappend(rel->alternatives, other->reference);
	}
	rel->alternatives_known = true;
}

/*
 * Does another tie of the same child share a key column, for rows of another
 * kind?  References must be to the same parent, and by the same key.
 */
static bool
holds_as_well(const CascadeTie *tie, const CascadeTie *other, bool same_parent)
{
	if (other->child != tie->child || cascade_same_discriminators(tie, other))
		return false;
	if (same_parent)
		return cascade_same_columns(tie, other);
	for (int i = 0; i < tie->ncolumns; i++)
	{
		for (int j = 0; j < other->ncolumns; j++)
		{
			if (tie->columns[i].child_attno == other->columns[j].child_attno)
				return true;
		}
	}
	return false;
}

/*
 * cascade_partition_root
 *		The table that a partition is a part of, topmost; of any other table
 *		itself.
 */
Oid
cascade_partition_root(Oid relid)
{
	/* one that is being detached concurrently is one until that is done */
	while (get_rel_relispartition(relid))
		relid = get_partition_parent(relid, true);
	return relid;
}

static void
relcache_callback(Datum arg, Oid relid)
{
	CascadeCache *caches[] = {current_cache, loading_cache};

	for (int i = 0; i < lengthof(caches); i++)
	{
		CascadeCache *cache = caches[i];

		if (cache == NULL || cache->stale)
			continue;
		if (!OidIsValid(relid) || relid == cache->catalog_relid ||
			hash_search(cache->tables, &relid, HASH_FIND, NULL))
			cache->stale = true;
	}
}

static void
free_cache(CascadeCache *cache)
{
	ListCell   *lc;

	foreach(lc, cache->relationships)
		free_plans(((CascadeRelationship *) lfirst(lc))->plans);
	foreach(lc, cache->ties)
		free_plans(((CascadeTie *) lfirst(lc))->plans);
	MemoryContextDelete(cache->context);
}

static void
free_plans(SPIPlanPtr plans[CASCADE_NUM_ACTIONS][CASCADE_NUM_SHAPES])
{
	for (int action = 0; action < CASCADE_NUM_ACTIONS; action++)
	{
		for (int shape = 0; shape < CASCADE_NUM_SHAPES; shape++)
		{
			if (plans[action][shape])
				SPI_freeplan(plans[action][shape]);
		}
	}
}
