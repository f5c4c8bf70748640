/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  what differs between PostgreSQL 15 and 19, and nothing else
 *
 * Copyright (c) 2026, cascade contributors
 *
 *-------------------------------------------------------------------------
 */
#ifndef CASCADE_COMPAT_H
#define CASCADE_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "cascade needs PostgreSQL 15 or later"
#endif

#include "utils/acl.h"

/* 16 merged the ownercheck functions into one. */
#if PG_VERSION_NUM < 160000
#define cascade_owns_table(relid, roleid) \
	pg_class_ownercheck(relid, roleid)
#define cascade_owns_schema(nspid, roleid) \
	pg_namespace_ownercheck(nspid, roleid)
#else
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#define cascade_owns_table(relid, roleid) \
	object_ownercheck(RelationRelationId, relid, roleid)
#define cascade_owns_schema(nspid, roleid) \
	object_ownercheck(NamespaceRelationId, nspid, roleid)
#endif

/* 18 has virtual generated columns, which have no value in the row. */
#if PG_VERSION_NUM < 180000
#define cascade_is_virtual(attgenerated)	false
#else
#define cascade_is_virtual(attgenerated)	((attgenerated) == ATTRIBUTE_GENERATED_VIRTUAL)
#endif

/* 18 has temporal foreign keys, whose last column is a range to contain. */
#if PG_VERSION_NUM < 180000
#define cascade_is_temporal(conform)		false
#else
#define cascade_is_temporal(conform)		((conform)->conperiod)
#endif

/* 18 has the marker in front, where C11 puts it. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn		pg_attribute_noreturn()
#endif

/* 18 asks whether a deferrable primary key will do. */
#if PG_VERSION_NUM < 180000
#define cascade_primary_key_index(rel)		RelationGetPrimaryKeyIndex(rel)
#else
#define cascade_primary_key_index(rel)		RelationGetPrimaryKeyIndex(rel, false)
#endif

/* 16 tells clones of a trigger from the one of the partitioned table. */
#if PG_VERSION_NUM < 160000
#define cascade_enable_trigger(rel, name, fires_when) \
	EnableDisableTrigger(rel, name, fires_when, false, ShareRowExclusiveLock)
#else
#define cascade_enable_trigger(rel, name, fires_when) \
	EnableDisableTrigger(rel, name, InvalidOid, fires_when, false, true, ShareRowExclusiveLock)
#endif

/* 16 can truncate as the tables' owners, for logical replication. */
#if PG_VERSION_NUM < 160000
#define cascade_truncate_guts(rels, relids, logged, behavior, restart_seqs) \
	ExecuteTruncateGuts(rels, relids, logged, behavior, restart_seqs)
#else
#define cascade_truncate_guts(rels, relids, logged, behavior, restart_seqs) \
	ExecuteTruncateGuts(rels, relids, logged, behavior, restart_seqs, false)
#endif

/* 17 can ask for a stronger lock as well. */
#if PG_VERSION_NUM < 170000
#define cascade_lock_held_by_me(tag, lockmode)	LockHeldByMe(tag, lockmode)
#else
#define cascade_lock_held_by_me(tag, lockmode)	LockHeldByMe(tag, lockmode, false)
#endif

/* 16 can report an error without raising it. */
#if PG_VERSION_NUM < 160000
#define cascade_qualified_name(string)		stringToQualifiedNameList(string)
#else
#define cascade_qualified_name(string)		stringToQualifiedNameList(string, NULL)
#endif

#endif							/* CASCADE_COMPAT_H */
