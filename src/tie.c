/*-------------------------------------------------------------------------
 *
 * tie.c
 *	  how two tables are tied: by which foreign key, or which columns
 *
 * With one foreign key between the tables everything is found from the
 * catalogs.  What is given, a constraint, columns or a direction, narrows the
 * choice; if none or several remain, the error lists the candidates and says
 * which parameter decides.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/tie.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "cascade.h"
#include "catalog/indexing.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* a foreign key between the two tables */
typedef struct Candidate
{
	char	   *name;
	Oid			parent;
	Oid			child;
	List	   *parent_columns; /* of char * */
	List	   *child_columns;
} Candidate;

static List *find_candidates(Oid parent, Oid child);
static List *fitting_candidates(List *candidates, const CascadeTieRequest *request,
								bool source_is_parent);
static bool columns_fit(List *wanted, List *columns);
static bool pairs_fit(const CascadeTieRequest *request, const Candidate *candidate,
					  bool source_is_parent);
static void tie_by_columns(CascadeRelationship *rel, const CascadeTieRequest *request);
static bool columns_unique(Oid relid, List *names);
static void check_columns(Oid relid, List *names);
pg_noreturn static void error_no_foreign_key(const CascadeRelationship *rel, const CascadeTieRequest *request,
								 List *candidates);
pg_noreturn static void error_ambiguous(const CascadeRelationship *rel, List *candidates,
							const char *parameters);
pg_noreturn static void error_direction(const CascadeRelationship *rel);
pg_noreturn static void error_later_direction(const char *direction);
static char *list_candidates(List *candidates);

/*
 * cascade_find_tie
 *		Fill in foreign_key, source_columns and target_columns of a
 *		relationship from what was asked for.
 *
 * Errors: 22023 direction, 42704 no foreign key, 42725 several, or a
 * direction that cannot be told, 42703 no such column, 42804 counts differ.
 */
void
cascade_find_tie(CascadeRelationship *rel, const CascadeTieRequest *request)
{
	bool		self = rel->source == rel->target;
	bool		by_columns = request->source_columns && request->target_columns;
	List	   *all = find_candidates(rel->source, rel->target);
	List	   *to_many = fitting_candidates(all, request, true);
	List	   *to_one = NIL;
	Candidate  *found;

	check_columns(rel->source, request->source_columns);
	check_columns(rel->target, request->target_columns);
	if (by_columns && list_length(request->source_columns) != list_length(request->target_columns))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("number of source columns (%d) and target columns (%d) must match",
						list_length(request->source_columns),
						list_length(request->target_columns))));

	if (request->direction == NULL)
	{
		if (self)
			error_direction(rel);
		to_one = find_candidates(rel->target, rel->source);
		all = list_concat(all, to_one);
		to_one = fitting_candidates(to_one, request, false);
		if (to_many != NIL && to_one != NIL)
			error_ambiguous(rel, list_concat(to_many, to_one), "direction or foreign_key");
		if (to_one != NIL)
			error_later_direction("many-to-one");
	}
	else if (strcmp(request->direction, "many-to-one") == 0 ||
			 strcmp(request->direction, "many-to-many") == 0)
		error_later_direction(request->direction);
	else if (strcmp(request->direction, CASCADE_ONE_TO_MANY) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized direction: \"%s\"", request->direction),
				 errhint("Valid directions are \"one-to-many\", \"many-to-one\" and \"many-to-many\".")));

	if (to_many == NIL)
	{
		if (!by_columns || request->foreign_key)
			error_no_foreign_key(rel, request, all);
		tie_by_columns(rel, request);
		return;
	}
	if (list_length(to_many) > 1 && !by_columns)
		error_ambiguous(rel, to_many, "foreign_key or target_columns");
	/* of several with the same columns any will do */
	found = linitial(to_many);
	rel->foreign_key = found->name;
	rel->source_columns = found->parent_columns;
	rel->target_columns = found->child_columns;
}

/*
 * The foreign keys of child that reference parent, as a List of Candidate *.
 */
static List *
find_candidates(Oid parent, Oid child)
{
	Relation	conrel = table_open(ConstraintRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(child));
	scan = systable_beginscan(conrel, ConstraintRelidTypidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint con = (Form_pg_constraint) GETSTRUCT(tuple);
		Candidate  *candidate;
		int			n;
		AttrNumber	conkey[INDEX_MAX_KEYS];
		AttrNumber	confkey[INDEX_MAX_KEYS];

		if (con->contype != CONSTRAINT_FOREIGN || con->confrelid != parent ||
			cascade_is_temporal(con))
			continue;
		DeconstructFkConstraintRow(tuple, &n, conkey, confkey, NULL, NULL, NULL, NULL, NULL);
		candidate = palloc0(sizeof(Candidate));
		candidate->name = pstrdup(NameStr(con->conname));
		candidate->parent = parent;
		candidate->child = child;
		for (int i = 0; i < n; i++)
		{
			candidate->parent_columns = lappend(candidate->parent_columns,
												get_attname(parent, confkey[i], false));
			candidate->child_columns = lappend(candidate->child_columns,
											   get_attname(child, conkey[i], false));
		}
		result = lappend(result, candidate);
	}
	systable_endscan(scan);
	table_close(conrel, AccessShareLock);
	return result;
}

/*
 * Those of the candidates that what was given allows.
 */
static List *
fitting_candidates(List *candidates, const CascadeTieRequest *request, bool source_is_parent)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, candidates)
	{
		Candidate  *candidate = lfirst(lc);

		if (request->foreign_key && strcmp(request->foreign_key, candidate->name) != 0)
			continue;
		if (!columns_fit(request->source_columns, source_is_parent ?
						 candidate->parent_columns : candidate->child_columns) ||
			!columns_fit(request->target_columns, source_is_parent ?
						 candidate->child_columns : candidate->parent_columns) ||
			!pairs_fit(request, candidate, source_is_parent))
			continue;
		result = lappend(result, candidate);
	}
	return result;
}

/*
 * Are these the columns, in any order?  NIL was not given and fits any.
 */
static bool
columns_fit(List *wanted, List *columns)
{
	ListCell   *lc;

	if (wanted == NIL)
		return true;
	foreach(lc, wanted)
	{
		if (!cascade_name_in_list(columns, lfirst(lc)))
			return false;
	}
	return list_length(wanted) == list_length(columns);
}

/*
 * Where both sides were given, is each pair a pair of the constraint?
 */
static bool
pairs_fit(const CascadeTieRequest *request, const Candidate *candidate, bool source_is_parent)
{
	ListCell   *lcs;
	ListCell   *lct;
	ListCell   *lcp;
	ListCell   *lcc;

	if (request->source_columns == NIL || request->target_columns == NIL)
		return true;
	forboth(lcs, request->source_columns, lct, request->target_columns)
	{
		bool		paired = false;

		forboth(lcp, candidate->parent_columns, lcc, candidate->child_columns)
			paired |= strcmp(lfirst(source_is_parent ? lcp : lcc), lfirst(lcs)) == 0 &&
			strcmp(lfirst(source_is_parent ? lcc : lcp), lfirst(lct)) == 0;
		if (!paired)
			return false;
	}
	return true;
}

/*
 * No constraint, but columns.  If the direction was not given, the side on
 * which they are unique is the parent's.
 */
static void
tie_by_columns(CascadeRelationship *rel, const CascadeTieRequest *request)
{
	if (request->direction == NULL)
	{
		bool		source_unique = columns_unique(rel->source, request->source_columns);
		bool		target_unique = columns_unique(rel->target, request->target_columns);

		if (source_unique == target_unique)
			error_direction(rel);
		if (target_unique)
			error_later_direction("many-to-one");
	}
	rel->foreign_key = NULL;
	rel->source_columns = request->source_columns;
	rel->target_columns = request->target_columns;
}

/*
 * Does a unique index have no other columns than these?
 */
static bool
columns_unique(Oid relid, List *names)
{
	Relation	rel = table_open(relid, NoLock);
	List	   *indexes = RelationGetIndexList(rel);
	bool		unique = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;
		bool		covered = form->indisunique && form->indisvalid &&
			RelationGetIndexPredicate(index) == NIL;

		for (int i = 0; covered && i < form->indnkeyatts; i++)
			covered = form->indkey.values[i] > 0 &&
				cascade_name_in_list(names, get_attname(relid, form->indkey.values[i], false));
		unique |= covered;
		index_close(index, AccessShareLock);
	}
	table_close(rel, NoLock);
	return unique;
}

static void
check_columns(Oid relid, List *names)
{
	Relation	rel = table_open(relid, NoLock);
	ListCell   *lc;

	foreach(lc, names)
		(void) cascade_resolve_attno(rel, lfirst(lc));
	table_close(rel, NoLock);
}

static void
error_no_foreign_key(const CascadeRelationship *rel, const CascadeTieRequest *request,
					 List *candidates)
{
	char	   *source = get_rel_name(rel->source);
	char	   *target = get_rel_name(rel->target);

	if (request->foreign_key)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("foreign key \"%s\" does not tie table \"%s\" to table \"%s\"",
						request->foreign_key, target, source),
				 candidates == NIL ? 0 :
				 errdetail("Candidates: %s.", list_candidates(candidates)),
				 errhint("Give the parameter foreign_key another value, or source_columns and target_columns instead.")));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("no foreign key ties table \"%s\" to table \"%s\"", target, source),
			 candidates == NIL ? 0 :
			 errdetail("Candidates: %s.", list_candidates(candidates)),
			 errhint("Give the parameters source_columns and target_columns.")));
}

static void
error_ambiguous(const CascadeRelationship *rel, List *candidates, const char *parameters)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
			 errmsg("several foreign keys tie table \"%s\" and table \"%s\"",
					get_rel_name(rel->target), get_rel_name(rel->source)),
			 errdetail("Candidates: %s.", list_candidates(candidates)),
			 errhint("Give the parameter %s.", parameters)));
}

static void
error_direction(const CascadeRelationship *rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
			 errmsg("direction of the relationship from table \"%s\" to table \"%s\" cannot be told",
					get_rel_name(rel->source), get_rel_name(rel->target)),
			 rel->source == rel->target ?
			 errdetail("The table is tied to itself.") :
			 errdetail("The columns are unique on both sides, or on neither."),
			 errhint("Give the parameter direction: one-to-many leads from the referenced row to those that reference it.")));
}

static void
error_later_direction(const char *direction)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s relationships are not supported yet", direction)));
}

/*
 * "books_author_id_fkey" on books (author_id), ...
 */
static char *
list_candidates(List *candidates)
{
	StringInfoData buf;
	ListCell   *lc;
	ListCell   *lcc;

	initStringInfo(&buf);
	foreach(lc, candidates)
	{
		Candidate  *candidate = lfirst(lc);

		appendStringInfo(&buf, "%s\"%s\" on %s (", buf.len > 0 ? ", " : "",
						 candidate->name, get_rel_name(candidate->child));
		foreach(lcc, candidate->child_columns)
			appendStringInfo(&buf, "%s%s", foreach_current_index(lcc) > 0 ? ", " : "",
							 (char *) lfirst(lcc));
		appendStringInfoChar(&buf, ')');
	}
	return buf.data;
}
