/*-------------------------------------------------------------------------
 *
 * query.c
 *	  the SQL text of the statements that a cascade runs
 *
 * The only place that writes names into SQL.  Every name is quoted and
 * schema-qualified, every operator is written OPERATOR(schema.op), values are
 * parameters: the text means the same under any search_path.
 *
 * In all of them t is the target, s the source and k the keys: parameters $1
 * to $n, one per key column, or arrays of them that unnest() puts side by
 * side as k1 to kn.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/query.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "cascade.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static void add_table(StringInfo buf, const char *verb, Oid relid, const char *alias);
static void add_target(StringInfo buf, const char *verb, const CascadeStatement *stmt);
static void add_keys(StringInfo buf, const char *keyword, const CascadeStatement *stmt);
static bool matches_any(const CascadeStatement *stmt);
static void add_match(StringInfo buf, const CascadeStatement *stmt);
static void add_propagated(StringInfo buf, const CascadeStatement *stmt);
static void add_orphan_rule(StringInfo buf, const CascadeStatement *stmt);
static char *operand(const CascadeStatement *stmt, int param, Oid type, Oid array);
static char *column_name(const char *alias, Oid relid, AttrNumber attno);
static char *assignee(Oid relid, AttrNumber attno);
static char *collation_name(Oid collation);

/*
 * cascade_query_text
 *		The text of a statement.  Its parameters stand in the order in which
 *		action.c adds them.
 */
char *
cascade_query_text(const CascadeStatement *stmt)
{
	const CascadeTie *tie = stmt->tie;
	StringInfoData buf;

	initStringInfo(&buf);
	switch (stmt->action)
	{
		case CASCADE_ACTION_DELETE:
			/* DELETE FROM [ONLY] t [USING k] WHERE key */
			add_target(&buf, "DELETE FROM", stmt);
			add_keys(&buf, " USING ", stmt);
			add_match(&buf, stmt);
			break;

		case CASCADE_ACTION_NULLIFY:
			/* UPDATE [ONLY] t SET fk = NULL, ... [FROM k] WHERE key */
			add_target(&buf, "UPDATE", stmt);
			for (int i = 0, n = 0; i < tie->ncolumns; i++)
			{
				if (tie->nullify_column[i])
					appendStringInfo(&buf, "%s %s = NULL", n++ == 0 ? " SET" : ",",
									 assignee(tie->target, tie->columns[i].target_attno));
			}
			add_keys(&buf, " FROM ", stmt);
			add_match(&buf, stmt);
			break;

		case CASCADE_ACTION_FOLLOW:
			/* UPDATE [ONLY] t SET fk = new key, ... [FROM k] WHERE old key */
			add_target(&buf, "UPDATE", stmt);
			for (int i = 0; i < tie->ncolumns; i++)
				appendStringInfo(&buf, "%s %s = %s", i == 0 ? " SET" : ",",
								 assignee(tie->target, tie->columns[i].target_attno),
								 operand(stmt, tie->ncolumns + i, tie->columns[i].key_type,
										 tie->columns[i].key_array));
			add_keys(&buf, " FROM ", stmt);
			add_match(&buf, stmt);
			break;

		case CASCADE_ACTION_PROPAGATE:
			add_propagated(&buf, stmt);
			break;

		case CASCADE_ACTION_ORPHAN:
		case CASCADE_ACTION_REMOVE:
			/* DELETE FROM [ONLY] t WHERE ctid = ANY ($1) [AND is an orphan] */
			add_target(&buf, "DELETE FROM", stmt);
			appendStringInfoString(&buf, " WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1)");
			if (stmt->action == CASCADE_ACTION_ORPHAN)
				add_orphan_rule(&buf, stmt);
			break;

		case CASCADE_ACTION_RECHECK:
			/*
			 * SELECT n FROM k WHERE NOT EXISTS (SELECT FROM [ONLY] s WHERE key)
			 *
			 * The last parameter numbers the keys.
			 */
			appendStringInfo(&buf, "SELECT k.k%d", stmt->nargs);
			add_keys(&buf, " FROM ", stmt);
			add_table(&buf, " WHERE NOT EXISTS (SELECT FROM", tie->source, "s");
			for (int i = 0; i < tie->ncolumns; i++)
			{
				const CascadeColumn *column = &tie->columns[i];

				appendStringInfoString(&buf, i == 0 ? " WHERE " : " AND ");
				generate_operator_clause(&buf,
										 operand(stmt, i, column->key_type, column->key_array),
										 column->key_type,
										 column->source_eq_opr,
										 column_name("s", tie->source, column->source_attno),
										 column->source_type);
			}
			appendStringInfoChar(&buf, ')');
			break;
	}
	return buf.data;
}

/*
 * "verb [ONLY] schema.table AS alias".  Inheritance children are left alone,
 * as foreign keys leave them.
 */
static void
add_table(StringInfo buf, const char *verb, Oid relid, const char *alias)
{
	appendStringInfo(buf, "%s %s%s AS %s", verb,
					 get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												get_rel_name(relid)),
					 alias);
}

static void
add_target(StringInfo buf, const char *verb, const CascadeStatement *stmt)
{
	add_table(buf, verb, stmt->tie->target, "t");
}

/*
 * The keys as a table, where they come as arrays that are not matched by ANY.
 */
static void
add_keys(StringInfo buf, const char *keyword, const CascadeStatement *stmt)
{
	if (stmt->shape == CASCADE_SHAPE_ONE || matches_any(stmt))
		return;
	appendStringInfo(buf, "%sROWS FROM (", keyword);
	for (int i = 1; i <= stmt->nargs; i++)
		appendStringInfo(buf, "%spg_catalog.unnest($%d)", i > 1 ? ", " : "", i);
	appendStringInfoString(buf, ") AS k (");
	for (int i = 1; i <= stmt->nargs; i++)
		appendStringInfo(buf, "%sk%d", i > 1 ? ", " : "", i);
	appendStringInfoChar(buf, ')');
}

/*
 * Is the key matched as fk = ANY ($1)?
 */
static bool
matches_any(const CascadeStatement *stmt)
{
	return stmt->shape != CASCADE_SHAPE_ONE &&
		(stmt->action == CASCADE_ACTION_DELETE || stmt->action == CASCADE_ACTION_NULLIFY) &&
		stmt->tie->ncolumns == 1 && stmt->tie->columns[0].any;
}

/*
 * " WHERE key = fk [AND ...]"
 */
static void
add_match(StringInfo buf, const CascadeStatement *stmt)
{
	const CascadeTie *tie = stmt->tie;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		const CascadeColumn *column = &tie->columns[i];
		char	   *fk = column_name("t", tie->target, column->target_attno);

		appendStringInfoString(buf, i == 0 ? " WHERE " : " AND ");
		if (column->collate)
			fk = psprintf("(%s COLLATE %s)", fk, collation_name(column->source_collation));
		if (matches_any(stmt))
		{
			Oid			opr = get_commutator(column->eq_opr);
			Oid			left;
			Oid			right;

			op_input_types(opr, &left, &right);
			generate_operator_clause(buf, fk, column->target_type, opr, "ANY ($1)", right);
		}
		else
			generate_operator_clause(buf,
									 operand(stmt, i, column->key_type, column->key_array),
									 column->key_type, column->eq_opr,
									 fk, column->target_type);
	}
}

/*
 * UPDATE [ONLY] t SET p = CASE WHEN changed AND p is old THEN new ELSE p END, ...
 * [FROM k] WHERE key AND (changed AND p is old OR ...)
 *
 * Behind the keys stand old, new and changed of each column.
 */
static void
add_propagated(StringInfo buf, const CascadeStatement *stmt)
{
	const CascadeRelationship *rel = stmt->rel;
	StringInfoData any_held;

	initStringInfo(&any_held);
	add_target(buf, "UPDATE", stmt);
	for (int i = 0; i < rel->npropagate; i++)
	{
		const CascadePropagation *pair = &rel->propagations[i];
		int			param = stmt->tie->ncolumns + 3 * i;
		char	   *old = operand(stmt, param, pair->type, pair->array);
		char	   *new = operand(stmt, param + 1, pair->type, pair->array);
		char	   *changed = operand(stmt, param + 2, BOOLOID, BOOLARRAYOID);
		char	   *p = column_name("t", rel->target, pair->target_attno);
		StringInfoData held;

		initStringInfo(&held);
		appendStringInfo(&held, "(%s AND ((%s IS NULL AND %s IS NULL) OR ", changed, p, old);
		generate_operator_clause(&held, old, pair->type, pair->eq_opr,
								 p, get_atttype(rel->target, pair->target_attno));
		appendStringInfoString(&held, "))");

		appendStringInfo(buf, "%s %s = CASE WHEN %s THEN %s ELSE %s END",
						 i == 0 ? " SET" : ",",
						 assignee(rel->target, pair->target_attno), held.data, new, p);
		appendStringInfo(&any_held, "%s%s", i == 0 ? "" : " OR ", held.data);
	}
	add_keys(buf, " FROM ", stmt);
	add_match(buf, stmt);
	appendStringInfo(buf, " AND (%s)", any_held.data);
}

/*
 * " AND (fk IS NULL OR ...)": the row has no parent by this relationship, and
 * with orphan_when 'all' none by any other that looks for orphans either.
 */
static void
add_orphan_rule(StringInfo buf, const CascadeStatement *stmt)
{
	List	   *rels = stmt->rel->orphan_all ? stmt->orphans : list_make1(stmt->rel);
	ListCell   *lc;

	foreach(lc, rels)
	{
		const CascadeTie *tie = ((CascadeRelationship *) lfirst(lc))->tie;

		for (int i = 0; i < tie->ncolumns; i++)
			appendStringInfo(buf, "%s%s IS NULL", i == 0 ? " AND (" : " OR ",
							 column_name("t", tie->target, tie->columns[i].target_attno));
		appendStringInfoChar(buf, ')');
	}
}

/*
 * Parameter number param, counted from 0: itself, or its column of k, brought
 * back from text where its type has no arrays.
 */
static char *
operand(const CascadeStatement *stmt, int param, Oid type, Oid array)
{
	if (stmt->shape == CASCADE_SHAPE_ONE)
		return psprintf("$%d", param + 1);
	if (array == TEXTARRAYOID && type != TEXTOID)
		return psprintf("k.k%d::%s", param + 1, format_type_be_qualified(type));
	return psprintf("k.k%d", param + 1);
}

static char *
column_name(const char *alias, Oid relid, AttrNumber attno)
{
	return psprintf("%s.%s", alias, quote_identifier(get_attname(relid, attno, false)));
}

/*
 * The left side of SET; a table's name cannot stand there.
 */
static char *
assignee(Oid relid, AttrNumber attno)
{
	return pstrdup(quote_identifier(get_attname(relid, attno, false)));
}

/*
 * Always with its schema, which generate_collation_name() leaves out where
 * the search_path of the moment allows.
 */
static char *
collation_name(Oid collation)
{
	HeapTuple	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	name = quote_qualified_identifier(get_namespace_name(form->collnamespace),
									  NameStr(form->collname));
	ReleaseSysCache(tuple);
	return name;
}
