/*-------------------------------------------------------------------------
 *
 * version.c
 *	  what became of a row that is known by an older version of it
 *
 * Within a table a row's versions form a chain.  The chain ends where an
 * UPDATE moves the row to another partition; where it went, capture.c has
 * seen.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/version.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "cascade.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* a version; hashed by bytes, so without padding */
typedef struct RowVersion
{
	Oid			leaf;
	BlockNumber block;
	uint32		offset;
} RowVersion;

typedef struct MovedRow
{
	RowVersion	from;			/* hash key; must be first */
	Oid			leaf;
	ItemPointerData tid;
} MovedRow;

/* scans of one table */
typedef struct VersionScans
{
	Oid			leaf;
	Relation	rel;
	TableScanDesc any;			/* to the end of the chain */
	TableScanDesc self;			/* to the last version that is not rolled back */
} VersionScans;

struct CascadeVersions
{
	List	   *scans;			/* of VersionScans */
	HTAB	   *moved;			/* of MovedRow; NULL while there is none */
};

static VersionScans *find_scans(CascadeVersions *versions, Oid leaf);
static RowVersion make_version(Oid leaf, const ItemPointerData *tid);
static MovedRow *find_moved(CascadeVersions *versions, Oid leaf, ItemPointerData tid);

/*
 * cascade_versions_begin
 *		To be ended with cascade_versions_end().
 */
CascadeVersions *
cascade_versions_begin(void)
{
	return palloc0(sizeof(CascadeVersions));
}

/*
 * cascade_versions_moved
 *		A row was moved from one partition to another.
 */
void
cascade_versions_moved(CascadeVersions *versions, Oid leaf, const ItemPointerData *tid,
					   Oid new_leaf, const ItemPointerData *new_tid)
{
	RowVersion	from = make_version(leaf, tid);
	MovedRow   *row;

	if (versions->moved == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(RowVersion);
		ctl.entrysize = sizeof(MovedRow);
		ctl.hcxt = CurrentMemoryContext;
		versions->moved = hash_create("cascade moved rows", 256, &ctl,
									  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	row = hash_search(versions->moved, &from, HASH_ENTER, NULL);
	row->leaf = new_leaf;
	row->tid = *new_tid;
}

/*
 * cascade_versions_end_of_chain
 *		Replace a version by the end of its chain, which tells two rows apart.
 */
void
cascade_versions_end_of_chain(CascadeVersions *versions, Oid *leaf, ItemPointer tid)
{
	for (;;)
	{
		MovedRow   *moved;

		table_tuple_get_latest_tid(find_scans(versions, *leaf)->any, tid);
		moved = find_moved(versions, *leaf, *tid);
		if (moved == NULL)
			break;
		*leaf = moved->leaf;
		*tid = moved->tid;
	}
}

/*
 * cascade_versions_latest
 *		Replace a version by the one that the transaction sees now, if there
 *		is one.
 */
void
cascade_versions_latest(CascadeVersions *versions, Oid *leaf, ItemPointer tid)
{
	MovedRow   *moved = NULL;

	do
	{
		ItemPointerData end = *tid;

		if (versions->moved != NULL)
		{
			table_tuple_get_latest_tid(find_scans(versions, *leaf)->any, &end);
			moved = find_moved(versions, *leaf, end);
		}
		if (moved != NULL)
		{
			*leaf = moved->leaf;
			*tid = moved->tid;
		}
	} while (moved != NULL);
	table_tuple_get_latest_tid(find_scans(versions, *leaf)->self, tid);
}

void
cascade_versions_end(CascadeVersions *versions)
{
	ListCell   *lc;

	foreach(lc, versions->scans)
	{
		VersionScans *scans = lfirst(lc);

		table_endscan(scans->any);
		table_endscan(scans->self);
		table_close(scans->rel, NoLock);
	}
	if (versions->moved != NULL)
		hash_destroy(versions->moved);
}

static VersionScans *
find_scans(CascadeVersions *versions, Oid leaf)
{
	VersionScans *scans;
	ListCell   *lc;

	foreach(lc, versions->scans)
	{
		scans = lfirst(lc);
		if (scans->leaf == leaf)
			return scans;
	}
	scans = palloc(sizeof(VersionScans));
	scans->leaf = leaf;
	scans->rel = table_open(leaf, RowExclusiveLock);
	scans->any = table_beginscan_tid(scans->rel, SnapshotAny);
	scans->self = table_beginscan_tid(scans->rel, SnapshotSelf);
	versions->scans = lcons(scans, versions->scans);
	return scans;
}

static RowVersion
make_version(Oid leaf, const ItemPointerData *tid)
{
	RowVersion	version;

	version.leaf = leaf;
	version.block = ItemPointerGetBlockNumber(tid);
	version.offset = ItemPointerGetOffsetNumber(tid);
	return version;
}

static MovedRow *
find_moved(CascadeVersions *versions, Oid leaf, ItemPointerData tid)
{
	RowVersion	version = make_version(leaf, &tid);

	return versions->moved == NULL ? NULL :
		hash_search(versions->moved, &version, HASH_FIND, NULL);
}
