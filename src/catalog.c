/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  the catalog table cascade.relationship, as rows
 *
 * The table belongs to the owner of the extension and nobody else may write
 * it; the functions here write it for whoever passed the checks of declare.c,
 * the way PostgreSQL writes its own catalogs.  It is read with a fresh
 * catalog snapshot, because a declaration is DDL: what is committed counts,
 * at every isolation level.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/catalog.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "cascade.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "replication/logicalworker.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

enum
{
	Anum_source = 1,
	Anum_name,
	Anum_target,
	Anum_direction,
	Anum_cascade,
	Anum_foreign_key,
	Anum_source_columns,
	Anum_target_columns,
	Anum_secondary,
	Anum_secondary_source_columns,
	Anum_secondary_target_columns,
	Anum_discriminator_columns,
	Anum_discriminator_values,
	Anum_propagate_source_columns,
	Anum_propagate_target_columns,
	Anum_single_parent,
	Anum_orphan_when,
	Anum_deferred,
	Anum_nullify,
	Anum_nullify_columns,
	Anum_follow_keys,
	Anum_enforce,
	Anum_rebuilt,
	Natts_relationship = Anum_rebuilt
};

static Relation open_catalog(LOCKMODE lockmode);
static CascadeRelationship *form_relationship(HeapTuple tuple, TupleDesc desc);
static HeapTuple form_tuple(const CascadeRelationship *rel, TupleDesc desc);
static CascadeDirection direction_of_word(const char *word);
static int	compare_relationships(const ListCell *a, const ListCell *b);
static void check_lists(const CascadeRelationship *rel);
pg_noreturn static void error_bad_row(void);
static HeapTuple find_tuple(Relation catalog, Oid source, const char *name);

/*
 * cascade_catalog_relid
 *		OID of the catalog table; InvalidOid if missing_ok and there is none.
 *
 * Looked up by schema and name, never by search_path.
 */
Oid
cascade_catalog_relid(bool missing_ok)
{
	Oid			namespace = get_namespace_oid(CASCADE_SCHEMA, true);
	Oid			relid = InvalidOid;

	if (OidIsValid(namespace))
		relid = get_relname_relid("relationship", namespace);
	if (!OidIsValid(relid) && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s.relationship\" does not exist", CASCADE_SCHEMA),
				 errhint("Run CREATE EXTENSION cascade.")));
	return relid;
}

/*
 * cascade_catalog_read
 *		All relationships, as a List of CascadeRelationship * in the current
 *		memory context, by source and name.
 */
List *
cascade_catalog_read(void)
{
	Relation	catalog = open_catalog(AccessShareLock);
	List	   *result = NIL;
	SysScanDesc scan;
	HeapTuple	tuple;

	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		result = lappend(result, form_relationship(tuple, RelationGetDescr(catalog)));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	/* in an order that no vacuum changes */
	list_sort(result, compare_relationships);
	return result;
}

static int
compare_relationships(const ListCell *a, const ListCell *b)
{
	const CascadeRelationship *ra = lfirst(a);
	const CascadeRelationship *rb = lfirst(b);

	if (ra->source != rb->source)
		return ra->source < rb->source ? -1 : 1;
	return strcmp(NameStr(ra->name), NameStr(rb->name));
}

/*
 * cascade_catalog_insert, _update, _delete
 *		Write one row, and tell every backend.
 *
 * The lock is held to the end of the transaction; with the locks on the two
 * tables, which the caller holds, nobody can act on half of a declaration.
 */
void
cascade_catalog_insert(const CascadeRelationship *rel)
{
	Relation	catalog = open_catalog(RowExclusiveLock);

	CatalogTupleInsert(catalog, form_tuple(rel, RelationGetDescr(catalog)));
	CacheInvalidateRelcache(catalog);
	table_close(catalog, NoLock);
	CommandCounterIncrement();
}

void
cascade_catalog_update(const CascadeRelationship *rel)
{
	Relation	catalog = open_catalog(RowExclusiveLock);
	HeapTuple	old = find_tuple(catalog, rel->source, NameStr(rel->name));
	HeapTuple	new = form_tuple(rel, RelationGetDescr(catalog));

	CatalogTupleUpdate(catalog, &old->t_self, new);
	CacheInvalidateRelcache(catalog);
	table_close(catalog, NoLock);
	CommandCounterIncrement();
}

void
cascade_catalog_delete(Oid source, const char *name)
{
	Relation	catalog = open_catalog(RowExclusiveLock);
	HeapTuple	old = find_tuple(catalog, source, name);

	CatalogTupleDelete(catalog, &old->t_self);
	CacheInvalidateRelcache(catalog);
	table_close(catalog, NoLock);
	CommandCounterIncrement();
}

static Relation
open_catalog(LOCKMODE lockmode)
{
	Relation	catalog = table_open(cascade_catalog_relid(false), lockmode);

	if (RelationGetDescr(catalog)->natts != Natts_relationship)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version of extension \"cascade\" does not match its library"),
				 errhint("Run ALTER EXTENSION cascade UPDATE.")));
	return catalog;
}

/*
 * A copy of the row of a relationship; the caller knows that it exists.
 */
static HeapTuple
find_tuple(Relation catalog, Oid source, const char *name)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_source, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(source));
	ScanKeyInit(&keys[1], Anum_name, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(name));
	scan = systable_beginscan(catalog, cascade_primary_key_index(catalog), true,
							  NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "relationship \"%s\" of table %u has no catalog row", name, source);
	tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

/*
 * name[] or text[] <-> List of char *.  A NULL array is NIL.
 */
static List *
array_to_list(Datum array, bool isnull, Oid elemtype)
{
	List	   *result = NIL;
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	if (isnull)
		return NIL;
	if (elemtype == NAMEOID)
		deconstruct_array(DatumGetArrayTypeP(array), NAMEOID, NAMEDATALEN, false,
						  TYPALIGN_CHAR, &elems, &nulls, &n);
	else
		deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
						  TYPALIGN_INT, &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			error_bad_row();
	}
	for (int i = 0; i < n; i++)
		result = lappend(result, elemtype == NAMEOID ?
						 pstrdup(NameStr(*DatumGetName(elems[i]))) :
						 TextDatumGetCString(elems[i]));
	return result;
}

static Datum
list_to_array(List *list, Oid elemtype)
{
	Datum	   *elems = palloc(sizeof(Datum) * Max(list_length(list), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, list)
	{
		char	   *word = lfirst(lc);

		elems[n++] = elemtype == NAMEOID ?
			DirectFunctionCall1(namein, CStringGetDatum(word)) :
			CStringGetTextDatum(word);
	}
	if (n == 0)
		return PointerGetDatum(construct_empty_array(elemtype));
	if (elemtype == NAMEOID)
		return PointerGetDatum(construct_array(elems, n, NAMEOID, NAMEDATALEN, false,
											   TYPALIGN_CHAR));
	return PointerGetDatum(construct_array(elems, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static CascadeRelationship *
form_relationship(HeapTuple tuple, TupleDesc desc)
{
	CascadeRelationship *rel = palloc0(sizeof(CascadeRelationship));
	Datum		values[Natts_relationship];
	bool		nulls[Natts_relationship];
	ListCell   *lc;

#define VALUE(attr)		values[Anum_##attr - 1]
#define ISNULL(attr)	nulls[Anum_##attr - 1]
#define NAMES(attr)		array_to_list(VALUE(attr), ISNULL(attr), NAMEOID)

	heap_deform_tuple(tuple, desc, values, nulls);
	rel->source = DatumGetObjectId(VALUE(source));
	rel->name = *DatumGetName(VALUE(name));
	rel->target = DatumGetObjectId(VALUE(target));
	foreach(lc, array_to_list(VALUE(cascade), ISNULL(cascade), TEXTOID))
		rel->cascade |= cascade_option_of_word(lfirst(lc));
	if (!ISNULL(foreign_key))
		rel->foreign_key = pstrdup(NameStr(*DatumGetName(VALUE(foreign_key))));
	rel->direction = direction_of_word(TextDatumGetCString(VALUE(direction)));
	rel->source_columns = NAMES(source_columns);
	rel->target_columns = NAMES(target_columns);
	rel->secondary = ISNULL(secondary) ? InvalidOid : DatumGetObjectId(VALUE(secondary));
	rel->secondary_source_columns = NAMES(secondary_source_columns);
	rel->secondary_target_columns = NAMES(secondary_target_columns);
	rel->discriminator_columns = NAMES(discriminator_columns);
	rel->discriminator_values = array_to_list(VALUE(discriminator_values),
											  ISNULL(discriminator_values), TEXTOID);
	rel->propagate_source = NAMES(propagate_source_columns);
	rel->propagate_target = NAMES(propagate_target_columns);
	rel->single_parent = DatumGetBool(VALUE(single_parent));
	rel->orphan_all = strcmp(TextDatumGetCString(VALUE(orphan_when)), "all") == 0;
	rel->deferred = DatumGetBool(VALUE(deferred));
	rel->nullify = DatumGetBool(VALUE(nullify));
	rel->nullify_columns = NAMES(nullify_columns);
	rel->follow_keys = DatumGetBool(VALUE(follow_keys));
	rel->enforce = DatumGetBool(VALUE(enforce));
	check_lists(rel);
	return rel;

#undef NAMES
}

/*
 * A row may have come by a restore; what it says of columns must go together.
 */
static void
check_lists(const CascadeRelationship *rel)
{
	bool		many_to_many = rel->direction == CASCADE_MANY_TO_MANY;
	List	   *source_partner = many_to_many ? rel->secondary_source_columns : rel->target_columns;
	List	   *target_partner = many_to_many ? rel->secondary_target_columns : rel->source_columns;

	if (many_to_many != OidIsValid(rel->secondary) || rel->source_columns == NIL ||
		list_length(rel->source_columns) != list_length(source_partner) ||
		rel->target_columns == NIL ||
		list_length(rel->target_columns) != list_length(target_partner) ||
		list_length(rel->propagate_source) != list_length(rel->propagate_target) ||
		list_length(rel->discriminator_columns) != list_length(rel->discriminator_values))
		error_bad_row();
}

static void
error_bad_row(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a row of cascade.relationship tells of no relationship"),
			 errhint("Delete the row, as the owner of the extension, and declare the relationship with cascade.add_relationship.")));
}

static HeapTuple
form_tuple(const CascadeRelationship *rel, TupleDesc desc)
{
	Datum		values[Natts_relationship] = {0};
	bool		nulls[Natts_relationship] = {0};

	VALUE(source) = ObjectIdGetDatum(rel->source);
	VALUE(name) = NameGetDatum(&rel->name);
	VALUE(target) = ObjectIdGetDatum(rel->target);
	VALUE(direction) = CStringGetTextDatum(cascade_direction_word(rel->direction));
	VALUE(cascade) = list_to_array(cascade_option_names(rel->cascade), TEXTOID);
	if (rel->foreign_key)
		VALUE(foreign_key) = DirectFunctionCall1(namein, CStringGetDatum(rel->foreign_key));
	else
		ISNULL(foreign_key) = true;
	VALUE(source_columns) = list_to_array(rel->source_columns, NAMEOID);
	VALUE(target_columns) = list_to_array(rel->target_columns, NAMEOID);
#define SET_OR_NULL(attr, list, elemtype) \
	do { \
		if ((list) != NIL) \
			VALUE(attr) = list_to_array(list, elemtype); \
		else \
			ISNULL(attr) = true; \
	} while (0)

	if (OidIsValid(rel->secondary))
		VALUE(secondary) = ObjectIdGetDatum(rel->secondary);
	else
		ISNULL(secondary) = true;
	SET_OR_NULL(secondary_source_columns, rel->secondary_source_columns, NAMEOID);
	SET_OR_NULL(secondary_target_columns, rel->secondary_target_columns, NAMEOID);
	SET_OR_NULL(discriminator_columns, rel->discriminator_columns, NAMEOID);
	SET_OR_NULL(discriminator_values, rel->discriminator_values, TEXTOID);
	VALUE(propagate_source_columns) = list_to_array(rel->propagate_source, NAMEOID);
	VALUE(propagate_target_columns) = list_to_array(rel->propagate_target, NAMEOID);
	VALUE(single_parent) = BoolGetDatum(rel->single_parent);
	VALUE(orphan_when) = CStringGetTextDatum(rel->orphan_all ? "all" : "any");
	VALUE(deferred) = BoolGetDatum(rel->deferred);
	VALUE(nullify) = BoolGetDatum(rel->nullify);
	SET_OR_NULL(nullify_columns, rel->nullify_columns, NAMEOID);
	VALUE(follow_keys) = BoolGetDatum(rel->follow_keys);
	VALUE(enforce) = BoolGetDatum(rel->enforce);
	VALUE(rebuilt) = BoolGetDatum(rel->rebuilt);
	return heap_form_tuple(desc, values, nulls);
}

#undef SET_OR_NULL
#undef VALUE
#undef ISNULL

static const char *const direction_words[] = {
	[CASCADE_ONE_TO_MANY] = "one-to-many",
	[CASCADE_MANY_TO_ONE] = "many-to-one",
	[CASCADE_MANY_TO_MANY] = "many-to-many",
};

/*
 * cascade_direction_word
 *		A direction as it is written.
 */
const char *
cascade_direction_word(CascadeDirection direction)
{
	return direction_words[direction];
}

static CascadeDirection
direction_of_word(const char *word)
{
	for (int i = 0; i < lengthof(direction_words); i++)
	{
		if (strcmp(direction_words[i], word) == 0)
			return (CascadeDirection) i;
	}
	elog(ERROR, "unrecognized direction \"%s\" in cascade.relationship", word);
}

PG_FUNCTION_INFO_V1(cascade_relationship_changed);
PG_FUNCTION_INFO_V1(cascade_relationship_restored);

/*
 * cascade.relationship_restored() RETURNS trigger
 *		BEFORE INSERT, UPDATE or DELETE FOR EACH ROW of the catalog table: a
 *		dump of the data alone brings rows that the triggers' arguments have
 *		rebuilt already, and take their place.
 *
 * The table looks like a user's to a publication FOR ALL TABLES; what another
 * server has declared is none of this one's relationships, and is left out.
 */
Datum
cascade_relationship_restored(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	CascadeRelationship *restored;
	ListCell   *lc;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"relationship_restored")));
	if (RelationGetRelid(trigdata->tg_relation) != cascade_catalog_relid(false))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was fired for a wrong table", "relationship_restored"),
				 errtable(trigdata->tg_relation)));
	if (IsLogicalWorker())
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return PointerGetDatum(trigdata->tg_newtuple);
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		return PointerGetDatum(trigdata->tg_trigtuple);
	restored = form_relationship(trigdata->tg_trigtuple, RelationGetDescr(trigdata->tg_relation));
	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if (rel->source == restored->source &&
			strcmp(NameStr(rel->name), NameStr(restored->name)) == 0)
			cascade_catalog_delete(rel->source, NameStr(rel->name));
	}
	return PointerGetDatum(trigdata->tg_trigtuple);
}

/*
 * cascade.relationship_changed() RETURNS trigger
 *		Tells every backend that the catalog table was written by SQL, as a
 *		restore does.  Fires once a statement.
 */
Datum
cascade_relationship_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"relationship_changed")));
	CacheInvalidateRelcache(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}
