/*-------------------------------------------------------------------------
 *
 * declare.c
 *	  cascade.add_relationship, alter_relationship and drop_relationship
 *
 * A declaration is DDL: it locks its tables as ADD FOREIGN KEY does, is
 * checked whole before anything is written, and then writes the catalog row
 * and makes the triggers.  How the tables are tied is found in tie.c.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/declare.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "cascade.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"

/* positions behind the first of the arguments that add and alter share */
enum
{
	ARG_FOREIGN_KEY,
	ARG_SOURCE_COLUMNS,
	ARG_TARGET_COLUMNS,
	ARG_SECONDARY,
	ARG_SECONDARY_SOURCE_COLUMNS,
	ARG_SECONDARY_TARGET_COLUMNS,
	ARG_DIRECTION,
	ARG_DISCRIMINATOR,
	ARG_PROPAGATE,
	ARG_SINGLE_PARENT,
	ARG_ORPHAN_WHEN,
	ARG_DEFERRED,
	ARG_NULLIFY,
	ARG_NULLIFY_COLUMNS,
	ARG_FOLLOW_KEYS,
	ARG_ENFORCE
};

static void check_table(Oid relid, bool is_target);
static void check_tables(const CascadeRelationship *rel);
static void check_persistence(Oid parent, Oid child);
static void lock_tables(const CascadeRelationship *rel);
static CascadeTieRequest read_tie_request(FunctionCallInfo fcinfo, int first);
static void read_options(FunctionCallInfo fcinfo, int first, CascadeRelationship *rel);
static bool read_object(Jsonb *object, bool names, List **keys, List **values);
static void read_propagate(CascadeRelationship *rel, Jsonb *propagate);
static void read_discriminator(CascadeRelationship *rel, Jsonb *discriminator);
static List *read_names(FunctionCallInfo fcinfo, int arg, const char *parameter);
static void check_relationship(CascadeRelationship *rel);
static void check_options(const CascadeRelationship *rel);
static void check_nullify_columns(const CascadeRelationship *rel);
static void check_propagate(const CascadeRelationship *rel);
static void check_tie(const CascadeRelationship *rel, const CascadeTie *tie);
static void check_writable(Oid relid, AttrNumber attno);
static void check_enforced(const CascadeRelationship *rel, const CascadeTie *tie);
static void validate_rows(CascadeRelationship *rel);
static CascadeRelationship *find_relationship(Oid source, const char *name);
static CascadeRelationship *get_relationship(Oid source, const char *name);
static void install_triggers(const CascadeRelationship *rel);

PG_FUNCTION_INFO_V1(cascade_add_relationship);
PG_FUNCTION_INFO_V1(cascade_alter_relationship);
PG_FUNCTION_INFO_V1(cascade_drop_relationship);

/*
 * cascade.add_relationship(source regclass, target regclass, cascade text,
 *							name name, ...) RETURNS name
 *		Declares a relationship; returns its name, by default the target's.
 *
 * Follows SQLAlchemy's relationship(), and ATAddForeignKeyConstraint in what
 * it locks and checks.  Errors: 22004 null table, 42809 not a table, 42501 not
 * the owner, 22023 bad option, 42704/42725 no or several foreign keys, 42703
 * no such column, 42804 counts or types do not match, 42710 exists already.
 */
Datum
cascade_add_relationship(PG_FUNCTION_ARGS)
{
	const int	first = 4;
	CascadeRelationship *rel = palloc0(sizeof(CascadeRelationship));
	CascadeTieRequest request;

	PreventCommandIfReadOnly("cascade.add_relationship()");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source and target of a relationship must not be null")));
	rel->source = PG_GETARG_OID(0);
	rel->target = PG_GETARG_OID(1);
	if (!PG_ARGISNULL(first + ARG_SECONDARY))
	{
		rel->secondary = PG_GETARG_OID(first + ARG_SECONDARY);
		check_table(rel->secondary, false);
	}
	check_tables(rel);
	lock_tables(rel);

	rel->cascade = PG_ARGISNULL(2) ? CASCADE_SAVE_UPDATE | CASCADE_MERGE :
		cascade_parse_options(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (PG_ARGISNULL(3))
		namestrcpy(&rel->name, get_rel_name(rel->target));
	else
		rel->name = *PG_GETARG_NAME(3);
	if (NameStr(rel->name)[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a relationship must not be empty")));
	rel->nullify = rel->follow_keys = rel->deferred = true;
	read_options(fcinfo, first, rel);
	if (find_relationship(rel->source, NameStr(rel->name)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("relationship \"%s\" of table \"%s\" already exists",
						NameStr(rel->name), get_rel_name(rel->source)),
				 errhint("Give another name with the parameter \"name\"."),
				 cascade_errtable(rel->source)));
	request = read_tie_request(fcinfo, first);
	cascade_find_tie(rel, &request);
	cascade_warn_of_options(rel->cascade, rel->direction);
	/* one of this name may have been here before, in the same transaction */
	if (cascade_pending_logged(rel))
		cascade_check_not_pending(rel->target);
	check_relationship(rel);
	validate_rows(rel);

	cascade_catalog_insert(rel);
	install_triggers(rel);
	PG_RETURN_NAME(&rel->name);
}

/*
 * cascade.alter_relationship(source regclass, name name, cascade text, ...)
 *							  RETURNS void
 *		Changes what is given of a relationship.  A null is not given; '{}'
 *		takes propagate or nullify_columns back.
 *
 * Follows SQLAlchemy, where a relationship's cascade can be assigned.  Errors
 * as add_relationship, 42704 for no such relationship, 55006 if checks of the
 * transaction are pending.
 */
Datum
cascade_alter_relationship(PG_FUNCTION_ARGS)
{
	const int	first = 3;
	CascadeRelationship *rel;
	CascadeRelationship *old;
	CascadeTieRequest request;
	bool		given;

	PreventCommandIfReadOnly("cascade.alter_relationship()");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source and name of a relationship must not be null")));
	check_table(PG_GETARG_OID(0), false);
	rel = get_relationship(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)));
	lock_tables(rel);
	rel = get_relationship(rel->source, NameStr(rel->name));
	cascade_check_not_pending(rel->target);
	old = get_relationship(rel->source, NameStr(rel->name));

	if (!PG_ARGISNULL(2))
		rel->cascade = cascade_parse_options(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	read_options(fcinfo, first, rel);
	request = read_tie_request(fcinfo, first);
	given = request.foreign_key || request.source_columns || request.target_columns ||
		request.secondary_source_columns || request.secondary_target_columns || request.direction;
	if (!PG_ARGISNULL(first + ARG_SECONDARY))
	{
		given = true;
		rel->secondary = PG_GETARG_OID(first + ARG_SECONDARY);
		check_tables(rel);
		lock_tables(rel);
	}
	else if (request.direction == NULL)
		request.direction = unconstify(char *, cascade_direction_word(rel->direction)); /* as it is */
	if (given)
	{
		rel->secondary_source_columns = rel->secondary_target_columns = NIL;
		cascade_find_tie(rel, &request);
	}
	if (!PG_ARGISNULL(2))
		cascade_warn_of_options(rel->cascade, rel->direction);
	check_relationship(rel);
	validate_rows(rel);

	cascade_catalog_update(rel);
	install_triggers(rel);
	if (OidIsValid(old->secondary) && old->secondary != rel->secondary)
		cascade_install_triggers(old->secondary);
	PG_RETURN_VOID();
}

/*
 * cascade.drop_relationship(source regclass, name name, if_exists boolean)
 *							 RETURNS void
 *		Takes a declaration back; the rows stay as they are.
 *
 * Errors 42704 if there is none, or a notice with if_exists; 42501 not the
 * owner; 55006 if checks of the transaction are pending.
 */
Datum
cascade_drop_relationship(PG_FUNCTION_ARGS)
{
	CascadeRelationship *rel;
	Oid			source;
	char	   *name;

	PreventCommandIfReadOnly("cascade.drop_relationship()");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source and name of a relationship must not be null")));
	source = PG_GETARG_OID(0);
	name = NameStr(*PG_GETARG_NAME(1));
	check_table(source, false);
	if (!PG_ARGISNULL(2) && PG_GETARG_BOOL(2) && find_relationship(source, name) == NULL)
	{
		ereport(NOTICE,
				(errmsg("relationship \"%s\" of table \"%s\" does not exist, skipping",
						name, get_rel_name(source))));
		PG_RETURN_VOID();
	}
	rel = get_relationship(source, name);
	lock_tables(rel);
	rel = get_relationship(source, name);
	cascade_check_not_pending(rel->target);

	cascade_catalog_delete(rel->source, NameStr(rel->name));
	install_triggers(rel);
	PG_RETURN_VOID();
}

/*
 * cascade_declare_rebuilt
 *		Write the row of a relationship that a trigger tells of.
 *
 * What was declared is checked anew, but nothing is locked that another worker
 * of a restore could be waiting with, and no index or constraint is asked for
 * that may still be to come.  Errors as add_relationship.
 */
void
cascade_declare_rebuilt(CascadeRelationship *rel)
{
	check_tables(rel);
	check_options(rel);
	check_nullify_columns(rel);
	check_propagate(rel);
	cascade_resolve_relationship(rel);
	rel->rebuilt = true;
	cascade_catalog_insert(rel);
}

/*
 * Is it a table that a relationship can have, and the caller its owner?
 *
 * Only a target can be foreign: what is written on the other server is not
 * seen here.  Of a partitioned table it is the whole that has relationships.
 */
static void
check_table(Oid relid, bool is_target)
{
	char		relkind = get_rel_relkind(relid);
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (relkind == RELKIND_FOREIGN_TABLE && !is_target)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("foreign table \"%s\" cannot be the source or the secondary of a relationship", name),
				 errdetail("What is written on the other server is not seen here."),
				 cascade_errtable(relid)));
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE &&
		relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", name),
				 errdetail_relkind_not_supported(relkind),
				 cascade_errtable(relid)));
	if (get_rel_relispartition(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a partition", name),
				 errhint("Declare the relationship on the partitioned table \"%s\".",
						 get_rel_name(cascade_partition_root(relid))),
				 cascade_errtable(relid)));
	if (!cascade_owns_table(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relkind), name);
	if (IsCatalogRelationOid(relid) ||
		get_rel_namespace(relid) == get_namespace_oid(CASCADE_SCHEMA, true))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied: \"%s\" is a system catalog", name),
				 cascade_errtable(relid)));
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a temporary table", name),
				 errdetail("A relationship is seen by all sessions, a temporary table is not."),
				 cascade_errtable(relid)));
}

static void
check_tables(const CascadeRelationship *rel)
{
	check_table(rel->source, false);
	check_table(rel->target, true);
	if (OidIsValid(rel->secondary))
		check_table(rel->secondary, false);
}

/*
 * As for foreign keys: what a crash leaves must not depend on what it empties.
 */
static void
check_persistence(Oid parent, Oid child)
{
	if (get_rel_persistence(parent) == RELPERSISTENCE_UNLOGGED &&
		get_rel_persistence(child) == RELPERSISTENCE_PERMANENT &&
		get_rel_relkind(child) != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("relationships from unlogged tables may lead only to unlogged tables"),
				 errdetail("\"%s\" is unlogged, \"%s\" is not.",
						   get_rel_name(parent), get_rel_name(child))));
}

/*
 * In order of OID, so that two declarations cannot deadlock each other.
 */
static void
lock_tables(const CascadeRelationship *rel)
{
	List	   *relids = list_make2_oid(rel->source, rel->target);
	ListCell   *lc;

	if (OidIsValid(rel->secondary))
		relids = lappend_oid(relids, rel->secondary);
	list_sort(relids, list_oid_cmp);
	foreach(lc, relids)
		LockRelationOid(lfirst_oid(lc), ShareRowExclusiveLock);
	check_tables(rel);
}

static CascadeTieRequest
read_tie_request(FunctionCallInfo fcinfo, int first)
{
	CascadeTieRequest request = {0};

	if (!PG_ARGISNULL(first + ARG_FOREIGN_KEY))
		request.foreign_key = NameStr(*PG_GETARG_NAME(first + ARG_FOREIGN_KEY));
	request.source_columns = read_names(fcinfo, first + ARG_SOURCE_COLUMNS, "source_columns");
	request.target_columns = read_names(fcinfo, first + ARG_TARGET_COLUMNS, "target_columns");
	request.secondary_source_columns = read_names(fcinfo, first + ARG_SECONDARY_SOURCE_COLUMNS,
												  "secondary_source_columns");
	request.secondary_target_columns = read_names(fcinfo, first + ARG_SECONDARY_TARGET_COLUMNS,
												  "secondary_target_columns");
	if (!PG_ARGISNULL(first + ARG_DIRECTION))
		request.direction = text_to_cstring(PG_GETARG_TEXT_PP(first + ARG_DIRECTION));
	return request;
}

/*
 * The options that are given, into rel; the others stay as they are.
 */
static void
read_options(FunctionCallInfo fcinfo, int first, CascadeRelationship *rel)
{
#define READ_BOOL(field, arg) \
	if (!PG_ARGISNULL(first + (arg))) \
		rel->field = PG_GETARG_BOOL(first + (arg))

	READ_BOOL(single_parent, ARG_SINGLE_PARENT);
	READ_BOOL(deferred, ARG_DEFERRED);
	READ_BOOL(nullify, ARG_NULLIFY);
	READ_BOOL(follow_keys, ARG_FOLLOW_KEYS);
	READ_BOOL(enforce, ARG_ENFORCE);
#undef READ_BOOL

	if (!PG_ARGISNULL(first + ARG_ORPHAN_WHEN))
	{
		char	   *when = text_to_cstring(PG_GETARG_TEXT_PP(first + ARG_ORPHAN_WHEN));

		if (strcmp(when, "any") != 0 && strcmp(when, "all") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized value for parameter \"%s\": \"%s\"", "orphan_when", when),
					 errhint("Valid values are \"any\" and \"all\".")));
		rel->orphan_all = strcmp(when, "all") == 0;
	}
	if (!PG_ARGISNULL(first + ARG_NULLIFY_COLUMNS))
		rel->nullify_columns = read_names(fcinfo, first + ARG_NULLIFY_COLUMNS, "nullify_columns");
	if (!PG_ARGISNULL(first + ARG_PROPAGATE))
		read_propagate(rel, PG_GETARG_JSONB_P(first + ARG_PROPAGATE));
	if (!PG_ARGISNULL(first + ARG_DISCRIMINATOR))
		read_discriminator(rel, PG_GETARG_JSONB_P(first + ARG_DISCRIMINATOR));
}

/*
 * {"source column": "target column", ...}
 */
static void
read_propagate(CascadeRelationship *rel, Jsonb *propagate)
{
	if (!read_object(propagate, true, &rel->propagate_source, &rel->propagate_target))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" must be a JSON object of column names", "propagate"),
				 errhint("Write {\"column of the source\": \"column of the target\"}.")));
}

/*
 * {"column": "value", ...}
 */
static void
read_discriminator(CascadeRelationship *rel, Jsonb *discriminator)
{
	if (!read_object(discriminator, false, &rel->discriminator_columns,
					 &rel->discriminator_values))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" must be a JSON object of columns and their values",
						"discriminator"),
				 errhint("Write {\"column\": \"value\"}; a value cannot be null, an object or an array.")));
}

/*
 * The keys and values of a JSON object, as Lists of char *; false if it is
 * none, or a value is not a string or, unless they are names, another scalar.
 */
static bool
read_object(Jsonb *object, bool names, List **keys, List **values)
{
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	*keys = *values = NIL;
	if (!JB_ROOT_IS_OBJECT(object))
		return false;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			*keys = lappend(*keys, pnstrdup(value.val.string.val, value.val.string.len));
		else if (token == WJB_VALUE && value.type == jbvString)
			*values = lappend(*values, pnstrdup(value.val.string.val, value.val.string.len));
		else if (token == WJB_VALUE && !names && value.type == jbvNumeric)
			*values = lappend(*values,
							  DatumGetCString(DirectFunctionCall1(numeric_out,
																  NumericGetDatum(value.val.numeric))));
		else if (token == WJB_VALUE && !names && value.type == jbvBool)
			*values = lappend(*values, value.val.boolean ? "true" : "false");
		else if (token == WJB_VALUE)
			return false;
	}
	return true;
}

/*
 * A name[] argument as a List of char *; NIL if it is null or empty.
 */
static List *
read_names(FunctionCallInfo fcinfo, int arg, const char *parameter)
{
	List	   *names = NIL;
	Datum	   *elems;
	bool	   *nulls;
	int			n;

	if (PG_ARGISNULL(arg))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &elems, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("parameter \"%s\" must not contain nulls", parameter)));
		if (cascade_name_in_list(names, NameStr(*DatumGetName(elems[i]))))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("column \"%s\" appears twice in parameter \"%s\"",
							NameStr(*DatumGetName(elems[i])), parameter)));
		names = lappend(names, pstrdup(NameStr(*DatumGetName(elems[i]))));
	}
	return names;
}

/*
 * Everything that can be wrong with a relationship whose tie is found.
 */
static void
check_relationship(CascadeRelationship *rel)
{
	check_options(rel);
	check_nullify_columns(rel);
	check_propagate(rel);

	cascade_resolve_relationship(rel);
	check_tie(rel, rel->tie);
	if (rel->reference != NULL && rel->reference != rel->tie)
		check_tie(rel, rel->reference);
	for (int i = 0; i < rel->npropagate; i++)
		check_writable(rel->target, rel->propagations[i].child_attno);
}

static void
check_options(const CascadeRelationship *rel)
{
	if (rel->direction != CASCADE_ONE_TO_MANY && rel->propagate_source != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" is for one-to-many relationships only", "propagate")));
	if (rel->direction != CASCADE_ONE_TO_MANY && rel->nullify_columns != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" is for one-to-many relationships only",
						"nullify_columns")));
	if (rel->direction == CASCADE_ONE_TO_MANY && (rel->cascade & CASCADE_DELETE_ORPHAN) &&
		get_rel_relkind(rel->target) == RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("rows of foreign table \"%s\" cannot be deleted as orphans",
						get_rel_name(rel->target)),
				 errdetail("A row of a foreign table that lost its parent cannot be told from others later."),
				 cascade_errtable(rel->target)));
}

static void
check_nullify_columns(const CascadeRelationship *rel)
{
	Relation	target = table_open(rel->target, NoLock);
	ListCell   *lc;

	foreach(lc, rel->nullify_columns)
	{
		(void) cascade_resolve_attno(target, lfirst(lc));
		if (!cascade_name_in_list(rel->target_columns, lfirst(lc)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of parameter \"%s\" is not a key column of the relationship",
							(char *) lfirst(lc), "nullify_columns"),
					 cascade_errcolumn(rel->target, lfirst(lc))));
	}
	table_close(target, NoLock);
}

static void
check_propagate(const CascadeRelationship *rel)
{
	ListCell   *lc;

	foreach(lc, rel->propagate_target)
	{
		if (cascade_name_in_list(rel->target_columns, lfirst(lc)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("key column \"%s\" cannot take propagated values", (char *) lfirst(lc)),
					 errhint("Key columns follow their parent's by themselves."),
					 cascade_errcolumn(rel->target, lfirst(lc))));
		for (int i = 0; i < foreach_current_index(lc); i++)
		{
			if (strcmp(list_nth(rel->propagate_target, i), lfirst(lc)) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("column \"%s\" appears twice in parameter \"%s\"",
								(char *) lfirst(lc), "propagate"),
						 cascade_errcolumn(rel->target, lfirst(lc))));
		}
	}
}

/*
 * The columns of a tie must have values in the row, and those of the child
 * take new ones where the relationship gives them any.
 */
static void
check_tie(const CascadeRelationship *rel, const CascadeTie *tie)
{
	bool		follows = (rel->cascade & CASCADE_SAVE_UPDATE) && rel->follow_keys;
	bool		nullifies = rel->direction == CASCADE_ONE_TO_MANY &&
		!(rel->cascade & CASCADE_DELETE) && rel->nullify;
	Relation	parent = table_open(tie->parent, NoLock);
	Relation	child = table_open(tie->child, NoLock);

	check_persistence(tie->parent, tie->child);
	check_enforced(rel, tie);
	for (int i = 0; i < tie->ncolumns; i++)
	{
		CascadeColumn *column = &tie->columns[i];

		if (cascade_is_virtual(TupleDescAttr(RelationGetDescr(parent), column->parent_attno - 1)->attgenerated) ||
			cascade_is_virtual(TupleDescAttr(RelationGetDescr(child), column->child_attno - 1)->attgenerated))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("virtual generated columns cannot be key columns of a relationship")));
		if (follows || nullifies)
			check_writable(tie->child, column->child_attno);
	}
	for (int i = 0; i < tie->ndiscriminators; i++)
	{
		AttrNumber	attno = tie->discriminators[i].attno;

		for (int j = 0; j < tie->ncolumns; j++)
		{
			if (tie->columns[j].child_attno == attno)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("key column \"%s\" cannot be a discriminator",
								get_attname(tie->child, attno, false)),
						 errtablecol(child, attno)));
		}
		if (cascade_is_virtual(TupleDescAttr(RelationGetDescr(child), attno - 1)->attgenerated))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("virtual generated columns cannot be discriminators of a relationship")));
	}
	table_close(child, NoLock);
	table_close(parent, NoLock);
}

static void
check_writable(Oid relid, AttrNumber attno)
{
	Relation	rel = table_open(relid, NoLock);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attno - 1);

	if (att->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("generated column \"%s\" cannot be written by a cascade", NameStr(att->attname)),
				 errhint("For a key column, give nullify => false and follow_keys => false."),
				 errtablecol(rel, attno)));
	table_close(rel, NoLock);
}

/*
 * A reference can be guarded where a foreign key could be declared.  Without
 * the unique index the rows that are referenced could not be locked against a
 * change of their key.
 */
static void
check_enforced(const CascadeRelationship *rel, const CascadeTie *tie)
{
	Oid			foreign = get_rel_relkind(tie->parent) == RELKIND_FOREIGN_TABLE ? tie->parent :
		get_rel_relkind(tie->child) == RELKIND_FOREIGN_TABLE ? tie->child : InvalidOid;

	if (!rel->enforce)
		return;
	if (OidIsValid(foreign))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("references of foreign table \"%s\" cannot be enforced", get_rel_name(foreign)),
				 cascade_errtable(foreign)));
	if (!cascade_key_is_referenceable(tie, true, InvalidOid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 errmsg("there is no unique constraint matching given keys for referenced table \"%s\"",
						get_rel_name(tie->parent)),
				 errdetail("Only a reference to a unique key can be enforced."),
				 cascade_errtable(tie->parent)));
}

/*
 * As a constraint, single_parent and enforce hold for the rows that are there.
 */
static void
validate_rows(CascadeRelationship *rel)
{
	if (rel->single_parent && rel->reference != NULL)
		cascade_event_validate(rel, cascade_verify_all_single);
	if (rel->enforce)
		cascade_event_validate(rel, cascade_enforce_validate);
}

/*
 * The relationship as it is in the catalog now; NULL if there is none.
 */
static CascadeRelationship *
find_relationship(Oid source, const char *name)
{
	ListCell   *lc;

	foreach(lc, cascade_catalog_read())
	{
		CascadeRelationship *rel = lfirst(lc);

		if (rel->source == source && strcmp(NameStr(rel->name), name) == 0)
			return rel;
	}
	return NULL;
}

/*
 * Likewise; error 42704 if there is none.
 */
static CascadeRelationship *
get_relationship(Oid source, const char *name)
{
	CascadeRelationship *rel = find_relationship(source, name);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("relationship \"%s\" of table \"%s\" does not exist",
						name, get_rel_name(source)),
				 cascade_errtable(source)));
	return rel;
}

static void
install_triggers(const CascadeRelationship *rel)
{
	cascade_install_triggers(rel->source);
	if (rel->target != rel->source)
		cascade_install_triggers(rel->target);
	if (OidIsValid(rel->secondary))
		cascade_install_triggers(rel->secondary);
}
