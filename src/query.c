/*-------------------------------------------------------------------------
 *
 * query.c
 *	  the SQL text of the statements that a cascade runs
 *
 * The only place that writes names into SQL.  Every name is quoted and
 * schema-qualified, every operator is written OPERATOR(schema.op), values are
 * parameters: the text means the same under any search_path.
 *
 * In all of them t is the table that the statement is about, p the parent
 * where that is another, and k the keys: parameters $1 to $n, one per key
 * column, or arrays of them that unnest() puts side by side as k1 to kn.
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
static void add_child(StringInfo buf, const char *verb, const CascadeStatement *stmt);
static void add_parent(StringInfo buf, const char *verb, const CascadeStatement *stmt);
static void add_keys(StringInfo buf, const char *keyword, const CascadeStatement *stmt);
static void add_arrays(StringInfo buf, int first, int n, const char *alias, const char *column);
static bool is_partitioned(const CascadeStatement *stmt);
static bool matches_any(const CascadeStatement *stmt);
static void add_child_match(StringInfo buf, const CascadeStatement *stmt);
static void add_held_match(StringInfo buf, const CascadeStatement *stmt);
static void add_discriminators(StringInfo buf, const CascadeStatement *stmt);
static void add_kind(StringInfo buf, const char *prefix, const CascadeTie *tie, bool partners);
static void add_parent_match(StringInfo buf, const CascadeStatement *stmt, bool held);
static void add_propagated(StringInfo buf, const CascadeStatement *stmt);
static void add_versions(StringInfo buf, const CascadeStatement *stmt);
static void add_orphan_rule(StringInfo buf, const CascadeStatement *stmt);
static void add_has_key(StringInfo buf, const char *keyword, const CascadeTie *tie, bool partners);
static void add_counted_keys(StringInfo buf, const CascadeStatement *stmt, const char *separator);
static void add_validation(StringInfo buf, const CascadeStatement *stmt);
static void add_count_all(StringInfo buf, const CascadeStatement *stmt);
static void add_match_query(StringInfo buf, const CascadeStatement *stmt);
static char *operand(const CascadeStatement *stmt, int param, Oid type, Oid array);
static char *element(const char *column, int number, Oid type, Oid array);
static char *column_name(const char *alias, Oid relid, AttrNumber attno);
static char *assignee(Oid relid, AttrNumber attno);
static char *type_name(Oid type);
static char *collated(char *expression, Oid collation);
static char *collation_name(Oid collation);

/*
 * cascade_query_text
 *		The text of a statement.  Its parameters stand in the order in which
 *		action.c, orphan.c and verify.c add them.
 */
char *
cascade_query_text(const CascadeStatement *stmt)
{
	const CascadeTie *tie = stmt->tie;
	StringInfoData buf;

	initStringInfo(&buf);
	switch (stmt->action)
	{
		case CASCADE_ACTION_UNLINK:
		case CASCADE_ACTION_DELETE:
			/* DELETE FROM [ONLY] t [USING k] WHERE key */
			add_child(&buf, "DELETE FROM", stmt);
			add_keys(&buf, " USING ", stmt);
			add_child_match(&buf, stmt);
			break;

		case CASCADE_ACTION_NULLIFY:
			/* UPDATE [ONLY] t SET fk = NULL, ... [FROM k] WHERE key */
			add_child(&buf, "UPDATE", stmt);
			for (int i = 0, n = 0; i < tie->ncolumns; i++)
			{
				if (tie->nullify_column[i])
					appendStringInfo(&buf, "%s %s = NULL", n++ == 0 ? " SET" : ",",
									 assignee(tie->child, tie->columns[i].child_attno));
			}
			add_keys(&buf, " FROM ", stmt);
			add_child_match(&buf, stmt);
			break;

		case CASCADE_ACTION_FOLLOW:
			/* UPDATE [ONLY] t SET fk = new key, ... [FROM k] WHERE old key */
			add_child(&buf, "UPDATE", stmt);
			for (int i = 0; i < tie->ncolumns; i++)
				appendStringInfo(&buf, "%s %s = %s", i == 0 ? " SET" : ",",
								 assignee(tie->child, tie->columns[i].child_attno),
								 operand(stmt, tie->ncolumns + i, tie->columns[i].key_type,
										 tie->columns[i].key_array));
			add_keys(&buf, " FROM ", stmt);
			add_child_match(&buf, stmt);
			break;

		case CASCADE_ACTION_PROPAGATE:
			add_propagated(&buf, stmt);
			break;

		case CASCADE_ACTION_ORPHAN:
		case CASCADE_ACTION_REMOVE:
			/* DELETE FROM [ONLY] t WHERE version [AND is an orphan] */
			add_child(&buf, "DELETE FROM", stmt);
			add_versions(&buf, stmt);
			if (stmt->action == CASCADE_ACTION_ORPHAN)
				add_orphan_rule(&buf, stmt);
			break;

		case CASCADE_ACTION_READ_ROWS:
		case CASCADE_ACTION_LOCK_ROWS:
			/* SELECT version, keys FROM [ONLY] t WHERE version [FOR UPDATE] */
			appendStringInfoString(&buf, "SELECT t.tableoid, t.ctid");
			add_counted_keys(&buf, stmt, ", ");
			add_child(&buf, " FROM", stmt);
			add_versions(&buf, stmt);
			if (stmt->action == CASCADE_ACTION_LOCK_ROWS)
				appendStringInfoString(&buf, " ORDER BY 1, 2 FOR UPDATE OF t");
			break;

		case CASCADE_ACTION_FIND:
		case CASCADE_ACTION_LOCK_NO_KEY:
		case CASCADE_ACTION_LOCK:
			/* SELECT keys FROM [ONLY] t[, k] WHERE key [ORDER BY key FOR UPDATE] */
			appendStringInfoString(&buf, "SELECT ");
			add_counted_keys(&buf, stmt, "");
			add_parent(&buf, " FROM", stmt);
			add_keys(&buf, ", ", stmt);
			add_parent_match(&buf, stmt, stmt->action != CASCADE_ACTION_LOCK);
			if (stmt->action == CASCADE_ACTION_FIND)
				break;
			/* in one order, so that two of us do not deadlock */
			for (int i = 0; i < tie->ncolumns; i++)
				appendStringInfo(&buf, "%s%d", i == 0 ? " ORDER BY " : ", ", i + 1);
			appendStringInfo(&buf, " FOR %sUPDATE OF t",
							 stmt->action == CASCADE_ACTION_LOCK ? "" : "NO KEY ");
			break;

		case CASCADE_ACTION_DELETE_PARENT:
		case CASCADE_ACTION_ORPHAN_PARENT:
			/* DELETE FROM [ONLY] t [USING k] WHERE key [AND is an orphan] */
			add_parent(&buf, "DELETE FROM", stmt);
			add_keys(&buf, " USING ", stmt);
			add_parent_match(&buf, stmt, false);
			if (stmt->action == CASCADE_ACTION_ORPHAN_PARENT)
				add_orphan_rule(&buf, stmt);
			break;

		case CASCADE_ACTION_RECHECK:
		case CASCADE_ACTION_UNREFERENCED:
			/*
			 * SELECT n FROM k WHERE NOT EXISTS (SELECT FROM [ONLY] t WHERE key)
			 *
			 * The last parameter numbers the keys.
			 */
			appendStringInfo(&buf, "SELECT k.k%d", stmt->nargs);
			add_keys(&buf, " FROM ", stmt);
			if (stmt->action == CASCADE_ACTION_RECHECK)
			{
				add_parent(&buf, " WHERE NOT EXISTS (SELECT FROM", stmt);
				add_parent_match(&buf, stmt, false);
			}
			else
			{
				add_child(&buf, " WHERE NOT EXISTS (SELECT FROM", stmt);
				add_child_match(&buf, stmt);
			}
			appendStringInfoChar(&buf, ')');
			break;

		case CASCADE_ACTION_SHARE_PARENTS:
		case CASCADE_ACTION_NUMBER_PARENTS:
			/* SELECT [n] FROM [ONLY] t[, k] WHERE held key ORDER BY key FOR KEY SHARE */
			appendStringInfoString(&buf, "SELECT");
			if (stmt->action == CASCADE_ACTION_NUMBER_PARENTS)
				appendStringInfo(&buf, " k.k%d", stmt->nargs);
			add_parent(&buf, " FROM", stmt);
			add_keys(&buf, ", ", stmt);
			add_parent_match(&buf, stmt, true);
			for (int i = 0; i < tie->ncolumns && stmt->shape != CASCADE_SHAPE_ONE; i++)
				appendStringInfo(&buf, "%s%s", i == 0 ? " ORDER BY " : ", ",
								 column_name("t", tie->parent, tie->columns[i].parent_attno));
			appendStringInfoString(&buf, " FOR KEY SHARE OF t");
			break;

		case CASCADE_ACTION_MISSING:
			/* SELECT n FROM k WHERE NOT EXISTS (SELECT FROM [ONLY] t WHERE held key) */
			appendStringInfo(&buf, "SELECT k.k%d", stmt->nargs);
			add_keys(&buf, " FROM ", stmt);
			add_parent(&buf, " WHERE NOT EXISTS (SELECT FROM", stmt);
			add_parent_match(&buf, stmt, true);
			appendStringInfoChar(&buf, ')');
			break;

		case CASCADE_ACTION_HELD:
			/* SELECT n FROM k WHERE EXISTS (SELECT FROM [ONLY] t WHERE fk) LIMIT 1 */
			appendStringInfo(&buf, "SELECT k.k%d", stmt->nargs);
			add_keys(&buf, " FROM ", stmt);
			add_child(&buf, " WHERE EXISTS (SELECT FROM", stmt);
			add_held_match(&buf, stmt);
			appendStringInfoString(&buf, ") LIMIT 1");
			break;

		case CASCADE_ACTION_REFERENCED:
			/* SELECT n FROM k, [ONLY] t WHERE key LIMIT 1 FOR KEY SHARE */
			appendStringInfo(&buf, "SELECT k.k%d", stmt->nargs);
			add_keys(&buf, " FROM ", stmt);
			add_child(&buf, ",", stmt);
			add_child_match(&buf, stmt);
			appendStringInfoString(&buf, " LIMIT 1 FOR KEY SHARE OF t");
			break;

		case CASCADE_ACTION_ANY_HELD:
			/* SELECT FROM [ONLY] t WHERE fk IS NOT NULL [AND kind = 'value'] LIMIT 1 */
			add_child(&buf, "SELECT FROM", stmt);
			add_has_key(&buf, " WHERE ", tie, false);
			appendStringInfoString(&buf, " LIMIT 1");
			break;

		case CASCADE_ACTION_DELETE_HOLDERS:
			/* DELETE FROM [ONLY] t WHERE fk IS NOT NULL [AND kind = 'value'] */
			add_child(&buf, "DELETE FROM", stmt);
			add_has_key(&buf, " WHERE ", tie, false);
			break;

		case CASCADE_ACTION_ALL_HELD:
			/* SELECT DISTINCT fk FROM [ONLY] t WHERE fk IS NOT NULL [AND kind = 'value'] */
			for (int i = 0; i < tie->ncolumns; i++)
				appendStringInfo(&buf, "%s%s", i == 0 ? "SELECT DISTINCT " : ", ",
								 column_name("t", tie->child, tie->columns[i].child_attno));
			add_child(&buf, " FROM", stmt);
			add_has_key(&buf, " WHERE ", tie, false);
			break;

		case CASCADE_ACTION_VALIDATE:
			add_validation(&buf, stmt);
			break;

		case CASCADE_ACTION_SHARE:
			/* SELECT FROM [ONLY] t[, k] WHERE key FOR SHARE */
			add_child(&buf, "SELECT FROM", stmt);
			add_keys(&buf, ", ", stmt);
			add_child_match(&buf, stmt);
			appendStringInfoString(&buf, " FOR SHARE OF t");
			break;

		case CASCADE_ACTION_COUNT:
			/* SELECT n FROM k, [ONLY] t WHERE key GROUP BY n HAVING count(*) > 1 */
			appendStringInfo(&buf, "SELECT k.k%d", stmt->nargs);
			add_keys(&buf, " FROM ", stmt);
			add_child(&buf, ",", stmt);
			add_child_match(&buf, stmt);
			appendStringInfo(&buf, " GROUP BY k.k%d HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1",
							 stmt->nargs);
			break;

		case CASCADE_ACTION_COUNT_ALL:
			add_count_all(&buf, stmt);
			break;

		case CASCADE_ACTION_MATCH:
			add_match_query(&buf, stmt);
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
add_child(StringInfo buf, const char *verb, const CascadeStatement *stmt)
{
	add_table(buf, verb, stmt->tie->child, "t");
}

static void
add_parent(StringInfo buf, const char *verb, const CascadeStatement *stmt)
{
	add_table(buf, verb, stmt->tie->parent, "t");
}

/*
 * The keys as a table, where they come as arrays that are not matched by ANY.
 */
static void
add_keys(StringInfo buf, const char *keyword, const CascadeStatement *stmt)
{
	if (stmt->shape == CASCADE_SHAPE_ONE || matches_any(stmt))
		return;
	appendStringInfoString(buf, keyword);
	/* in this form the planner sees how many there are, and that they differ */
	if (stmt->nargs == 1 && is_partitioned(stmt))
		appendStringInfoString(buf, "(SELECT DISTINCT pg_catalog.unnest($1)) AS k (k1)");
	else
		add_arrays(buf, 0, stmt->nargs, "k", "k");
}

/*
 * Of a partitioned table the planner would look at each element of an array
 * once for each partition.
 */
static bool
is_partitioned(const CascadeStatement *stmt)
{
	LOCKMODE	lockmode;

	return get_rel_relkind(cascade_statement_table(stmt, &lockmode)) == RELKIND_PARTITIONED_TABLE;
}

/*
 * n array parameters from this one on, counted from 0, side by side.
 */
static void
add_arrays(StringInfo buf, int first, int n, const char *alias, const char *column)
{
	appendStringInfoString(buf, "ROWS FROM (");
	for (int i = 1; i <= n; i++)
		appendStringInfo(buf, "%spg_catalog.unnest($%d)", i > 1 ? ", " : "", first + i);
	appendStringInfo(buf, ") AS %s (", alias);
	for (int i = 1; i <= n; i++)
		appendStringInfo(buf, "%s%s%d", i > 1 ? ", " : "", column, i);
	appendStringInfoChar(buf, ')');
}

/*
 * Is the key matched as column = ANY ($1)?
 */
static bool
matches_any(const CascadeStatement *stmt)
{
	const CascadeColumn *column = &stmt->tie->columns[0];

	if (stmt->shape == CASCADE_SHAPE_ONE || stmt->tie->ncolumns > 1 ||
		(stmt->shape == CASCADE_SHAPE_MANY && is_partitioned(stmt)))
		return false;
	switch (stmt->action)
	{
		case CASCADE_ACTION_UNLINK:
		case CASCADE_ACTION_DELETE:
		case CASCADE_ACTION_NULLIFY:
			return column->any;
		case CASCADE_ACTION_FIND:
		case CASCADE_ACTION_LOCK_NO_KEY:
		case CASCADE_ACTION_SHARE_PARENTS:
			return column->held_any;
		case CASCADE_ACTION_LOCK:
		case CASCADE_ACTION_DELETE_PARENT:
		case CASCADE_ACTION_ORPHAN_PARENT:
			return column->parent_any;
		default:
			return false;
	}
}

/*
 * " WHERE key = fk [AND ...] [AND kind = 'value']": the children of the keys.
 */
static void
add_child_match(StringInfo buf, const CascadeStatement *stmt)
{
	const CascadeTie *tie = stmt->tie;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		const CascadeColumn *column = &tie->columns[i];
		char	   *fk = column_name("t", tie->child, column->child_attno);

		appendStringInfoString(buf, i == 0 ? " WHERE " : " AND ");
		if (column->collate)
			fk = collated(fk, column->parent_collation);
		if (matches_any(stmt))
		{
			Oid			opr = get_commutator(column->eq_opr);
			Oid			left;
			Oid			right;

			op_input_types(opr, &left, &right);
			generate_operator_clause(buf, fk, column->child_type, opr, "ANY ($1)", right);
		}
		else
			generate_operator_clause(buf,
									 operand(stmt, i, column->key_type, column->key_array),
									 column->key_type, column->eq_opr,
									 fk, column->child_type);
	}
	add_discriminators(buf, stmt);
}

/*
 * " WHERE fk = key [AND ...] [AND kind = 'value']": the children that hold the
 * keys that others held.
 */
static void
add_held_match(StringInfo buf, const CascadeStatement *stmt)
{
	const CascadeTie *tie = stmt->tie;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		const CascadeColumn *column = &tie->columns[i];
		char	   *fk = column_name("t", tie->child, column->child_attno);

		appendStringInfoString(buf, i == 0 ? " WHERE " : " AND ");
		if (column->collate)
			fk = collated(fk, column->parent_collation);
		generate_operator_clause(buf, fk, column->child_type, column->child_eq_opr,
								 operand(stmt, i, column->held_type, column->held_array),
								 column->held_type);
	}
	add_discriminators(buf, stmt);
}

/*
 * " AND (kind = 'value' [OR ...])".  Where references are looked for, a link
 * row must hold its other key too, and those of relationships that share the
 * key count as well.
 */
static void
add_discriminators(StringInfo buf, const CascadeStatement *stmt)
{
	bool		counts = stmt->action == CASCADE_ACTION_UNREFERENCED ||
		stmt->action == CASCADE_ACTION_COUNT || stmt->action == CASCADE_ACTION_SHARE;
	List	   *ties = list_make1(stmt->tie);
	ListCell   *lc;

	if (stmt->action == CASCADE_ACTION_UNREFERENCED)
		ties = list_concat(ties, stmt->rel->alternatives);
	foreach(lc, ties)
	{
		CascadeTie *tie = lfirst(lc);

		if (tie->ndiscriminators == 0 && !(counts && tie->npartners > 0))
			return;				/* any kind will do */
	}
	foreach(lc, ties)
	{
		appendStringInfoString(buf, foreach_current_index(lc) == 0 ? " AND (" : " OR ");
		add_kind(buf, "", lfirst(lc), counts);
	}
	appendStringInfoChar(buf, ')');
}

/*
 * "prefix kind = 'value' AND ...", and the partners of a link row's key if
 * they are asked for; nothing if the tie has none of them.
 */
static void
add_kind(StringInfo buf, const char *prefix, const CascadeTie *tie, bool partners)
{
	for (int i = 0; i < tie->ndiscriminators; i++)
	{
		const CascadeDiscriminator *kind = &tie->discriminators[i];

		appendStringInfoString(buf, prefix);
		generate_operator_clause(buf, column_name("t", tie->child, kind->attno), kind->type,
								 kind->eq_opr,
								 psprintf("%s::%s", quote_literal_cstr(kind->text),
										  type_name(kind->type)),
								 kind->type);
		prefix = " AND ";
	}
	for (int i = 0; partners && i < tie->npartners; i++)
	{
		appendStringInfo(buf, "%s%s IS NOT NULL", prefix,
						 column_name("t", tie->child, tie->partners[i]));
		prefix = " AND ";
	}
}

/*
 * " WHERE parent's key = key [AND ...]": the parents of the keys, their own or
 * those that children held.
 */
static void
add_parent_match(StringInfo buf, const CascadeStatement *stmt, bool held)
{
	const CascadeTie *tie = stmt->tie;

	for (int i = 0; i < tie->ncolumns; i++)
	{
		const CascadeColumn *column = &tie->columns[i];
		Oid			opr = held ? column->eq_opr : column->parent_eq_opr;
		Oid			type = held ? column->held_type : column->key_type;
		char	   *key;

		appendStringInfoString(buf, i == 0 ? " WHERE " : " AND ");
		if (matches_any(stmt))
		{
			key = "ANY ($1)";
			if (!held)
				op_input_types(opr, &type, &type);
		}
		else
			key = operand(stmt, i, type, held ? column->held_array : column->key_array);
		generate_operator_clause(buf, column_name("t", tie->parent, column->parent_attno),
								 column->parent_type, opr, key, type);
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
	add_child(buf, "UPDATE", stmt);
	for (int i = 0; i < rel->npropagate; i++)
	{
		const CascadePropagation *pair = &rel->propagations[i];
		int			param = stmt->tie->ncolumns + 3 * i;
		char	   *old = operand(stmt, param, pair->type, pair->array);
		char	   *new = operand(stmt, param + 1, pair->type, pair->array);
		char	   *changed = operand(stmt, param + 2, BOOLOID, BOOLARRAYOID);
		char	   *p = column_name("t", rel->target, pair->child_attno);
		StringInfoData held;

		initStringInfo(&held);
		appendStringInfo(&held, "(%s AND ((%s IS NULL AND %s IS NULL) OR ", changed, p, old);
		generate_operator_clause(&held, old, pair->type, pair->eq_opr,
								 p, get_atttype(rel->target, pair->child_attno));
		appendStringInfoString(&held, "))");

		appendStringInfo(buf, "%s %s = CASE WHEN %s THEN %s ELSE %s END",
						 i == 0 ? " SET" : ",",
						 assignee(rel->target, pair->child_attno), held.data, new, p);
		appendStringInfo(&any_held, "%s%s", i == 0 ? "" : " OR ", held.data);
	}
	add_keys(buf, " FROM ", stmt);
	add_child_match(buf, stmt);
	appendStringInfo(buf, " AND (%s)", any_held.data);
}

/*
 * " WHERE ctid = ANY ($1)", in a partitioned table with the partition's OID
 * beside each.
 */
static void
add_versions(StringInfo buf, const CascadeStatement *stmt)
{
	appendStringInfoString(buf, " WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1)");
	if (get_rel_relkind(stmt->rel->target) == RELKIND_PARTITIONED_TABLE)
	{
		appendStringInfoString(buf, " AND (t.ctid, t.tableoid) OPERATOR(pg_catalog.=) ANY"
							   " (SELECT v.v1, v.v2 FROM ");
		add_arrays(buf, 0, 2, "v", "v");
		appendStringInfoChar(buf, ')');
	}
}

/*
 * " AND (has a parent) IS NOT TRUE": by this relationship, and with
 * orphan_when 'all' by any other that looks for orphans.  References are
 * counted before, where they are: see verify.c.
 */
static void
add_orphan_rule(StringInfo buf, const CascadeStatement *stmt)
{
	List	   *rels = stmt->rel->orphan_all ? stmt->target->losing : list_make1(stmt->rel);
	ListCell   *lc;
	ListCell   *lct;

	foreach(lc, rels)
	{
		CascadeRelationship *rel = lfirst(lc);

		if (rel->direction != CASCADE_ONE_TO_MANY)
			continue;
		appendStringInfoString(buf, " AND (");
		add_has_key(buf, "", rel->tie, true);
		foreach(lct, rel->alternatives)
		{
			appendStringInfoString(buf, " OR ");
			add_has_key(buf, "", lfirst(lct), true);
		}
		appendStringInfoString(buf, ") IS NOT TRUE");
	}
}

/*
 * "keyword fk IS NOT NULL AND ... [AND kind = 'value']"; partners: a link row's
 * other key is there too, so that the row has this parent.
 */
static void
add_has_key(StringInfo buf, const char *keyword, const CascadeTie *tie, bool partners)
{
	for (int i = 0; i < tie->ncolumns; i++)
		appendStringInfo(buf, "%s%s IS NOT NULL", i == 0 ? keyword : " AND ",
						 column_name("t", tie->child, tie->columns[i].child_attno));
	add_kind(buf, " AND ", tie, partners);
}

/*
 * The target's keys by which its references are counted: this relationship's,
 * and with orphan_when 'all' those of the others.
 */
static void
add_counted_keys(StringInfo buf, const CascadeStatement *stmt, const char *separator)
{
	ListCell   *lc;

	foreach(lc, cascade_verify_counted(stmt->rel, stmt->target))
	{
		const CascadeTie *tie = ((CascadeRelationship *) lfirst(lc))->reference;

		for (int i = 0; i < tie->ncolumns; i++)
		{
			appendStringInfo(buf, "%s%s", separator,
							 column_name("t", tie->parent, tie->columns[i].parent_attno));
			separator = ", ";
		}
	}
}

/*
 * SELECT fk FROM [ONLY] t WHERE fk IS NOT NULL [AND kind = 'value']
 * AND NOT EXISTS (SELECT FROM [ONLY] p WHERE key = fk) LIMIT 1
 */
static void
add_validation(StringInfo buf, const CascadeStatement *stmt)
{
	const CascadeTie *tie = stmt->tie;

	for (int i = 0; i < tie->ncolumns; i++)
		appendStringInfo(buf, "%s%s", i == 0 ? "SELECT " : ", ",
						 column_name("t", tie->child, tie->columns[i].child_attno));
	add_child(buf, " FROM", stmt);
	add_has_key(buf, " WHERE ", tie, false);
	add_table(buf, " AND NOT EXISTS (SELECT FROM", tie->parent, "p");
	for (int i = 0; i < tie->ncolumns; i++)
	{
		const CascadeColumn *column = &tie->columns[i];
		char	   *fk = column_name("t", tie->child, column->child_attno);

		if (column->collate)
			fk = collated(fk, column->parent_collation);
		appendStringInfoString(buf, i == 0 ? " WHERE " : " AND ");
		generate_operator_clause(buf, column_name("p", tie->parent, column->parent_attno),
								 column->parent_type, column->eq_opr, fk, column->child_type);
	}
	appendStringInfoString(buf, ") LIMIT 1");
}

/*
 * SELECT fk FROM [ONLY] t WHERE fk IS NOT NULL GROUP BY fk HAVING count(*) > 1
 */
static void
add_count_all(StringInfo buf, const CascadeStatement *stmt)
{
	const CascadeTie *tie = stmt->tie;
	StringInfoData keys;

	initStringInfo(&keys);
	for (int i = 0; i < tie->ncolumns; i++)
	{
		char	   *fk = column_name("t", tie->child, tie->columns[i].child_attno);

		if (tie->columns[i].collate)
			fk = collated(fk, tie->columns[i].parent_collation);
		appendStringInfo(&keys, "%s%s", i == 0 ? "" : ", ", fk);
	}
	appendStringInfo(buf, "SELECT %s", keys.data);
	add_child(buf, " FROM", stmt);
	appendStringInfoString(buf, " WHERE ");
	add_has_key(buf, "", tie, true);
	appendStringInfo(buf, " GROUP BY %s HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1",
					 keys.data);
}

/*
 * SELECT n, m FROM p, h WHERE parent's key = held key
 *
 * Numbers stand behind the keys of either side.
 */
static void
add_match_query(StringInfo buf, const CascadeStatement *stmt)
{
	const CascadeTie *tie = stmt->tie;
	int			n = tie->ncolumns;

	appendStringInfo(buf, "SELECT p.p%d, h.h%d FROM ", n + 1, n + 1);
	add_arrays(buf, 0, n + 1, "p", "p");
	appendStringInfoString(buf, ", ");
	add_arrays(buf, n + 1, n + 1, "h", "h");
	for (int i = 0; i < n; i++)
	{
		const CascadeColumn *column = &tie->columns[i];

		appendStringInfoString(buf, i == 0 ? " WHERE " : " AND ");
		generate_operator_clause(buf,
								 collated(element("p.p", i + 1, column->key_type,
												  column->key_array),
										  column->parent_collation),
								 column->key_type, column->eq_opr,
								 element("h.h", i + 1, column->held_type, column->held_array),
								 column->held_type);
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
	return element("k.k", param + 1, type, array);
}

static char *
element(const char *column, int number, Oid type, Oid array)
{
	if (array == TEXTARRAYOID && type != TEXTOID)
		return psprintf("%s%d::%s", column, number, type_name(type));
	return psprintf("%s%d", column, number);
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
 * Without a length: "character" is one character long.
 */
static char *
type_name(Oid type)
{
	return format_type_extended(type, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

static char *
collated(char *expression, Oid collation)
{
	return OidIsValid(collation) ?
		psprintf("(%s COLLATE %s)", expression, collation_name(collation)) : expression;
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
