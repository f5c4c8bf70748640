/*-------------------------------------------------------------------------
 *
 * tie.c
 *	  how tables are tied: by which foreign keys, or which columns
 *
 * With one foreign key between two tables everything is found from the
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

/* a foreign key between two tables */
typedef struct Candidate
{
	char	   *name;
	Oid			parent;
	Oid			child;
	List	   *parent_columns; /* of char * */
	List	   *child_columns;
} Candidate;

/* an end of a many-to-many relationship, and what was said of it */
typedef struct LinkEnd
{
	Oid			parent;
	Oid			secondary;
	List	   *parent_columns; /* of char *; NIL was not given */
	List	   *link_columns;
	const char *parent_parameter;
	const char *link_parameter;
} LinkEnd;

static void find_direct_tie(CascadeRelationship *rel, const CascadeTieRequest *request);
static void find_links(CascadeRelationship *rel, const CascadeTieRequest *request);
static Candidate *find_link(LinkEnd *end, const Candidate *taken, bool self);
static bool same_columns(const Candidate *a, const Candidate *b);
static List *find_candidates(Oid parent, Oid child);
static List *fitting_candidates(List *candidates, const char *name, List *parent_columns,
								List *child_columns);
static bool columns_fit(List *wanted, List *columns);
static bool pairs_fit(List *parent_columns, List *child_columns, const Candidate *candidate);
static void tie_by_columns(CascadeRelationship *rel, const CascadeTieRequest *request);
static bool columns_unique(Oid relid, List *names);
static List *primary_key_columns(Oid relid);
static void check_columns(Oid relid, List *names);
static void check_same_number(List *a, const char *a_word, List *b, const char *b_word);
pg_noreturn static void error_no_foreign_key(const CascadeRelationship *rel,
											 const CascadeTieRequest *request, List *candidates);
pg_noreturn static void error_no_link(const LinkEnd *end, List *candidates);
pg_noreturn static void error_ambiguous(Oid target, Oid source, List *candidates,
										const char *parameters);
pg_noreturn static void error_direction(const CascadeRelationship *rel);
static char *list_candidates(List *candidates);

/*
 * cascade_find_tie
 *		Fill in direction, foreign_key and the columns of a relationship from
 *		what was asked for.
 *
 * Errors: 22023 direction, 42704 no foreign key, 42725 several, or a
 * direction that cannot be told, 42703 no such column, 42804 counts differ.
 */
void
cascade_find_tie(CascadeRelationship *rel, const CascadeTieRequest *request)
{
	bool		many_to_many = OidIsValid(rel->secondary);

	if (request->direction != NULL &&
		many_to_many != (cascade_read_direction(request->direction) == CASCADE_MANY_TO_MANY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 many_to_many ?
				 errmsg("a relationship with a secondary table is many-to-many, not %s",
						request->direction) :
				 errmsg("a many-to-many relationship needs the parameter \"%s\"", "secondary")));
	check_columns(rel->source, request->source_columns);
	check_columns(rel->target, request->target_columns);
	if (many_to_many)
		find_links(rel, request);
	else
		find_direct_tie(rel, request);
}

/*
 * Of the two tables one holds the key.
 */
static void
find_direct_tie(CascadeRelationship *rel, const CascadeTieRequest *request)
{
	bool		by_columns = request->source_columns && request->target_columns;
	List	   *all = find_candidates(rel->source, rel->target);
	List	   *to_many = fitting_candidates(all, request->foreign_key, request->source_columns,
											 request->target_columns);
	List	   *all_to_one = find_candidates(rel->target, rel->source);
	List	   *to_one = fitting_candidates(all_to_one, request->foreign_key,
											request->target_columns, request->source_columns);
	List	   *fitting;
	Candidate  *found;

	if (by_columns)
		check_same_number(request->source_columns, "source columns",
						  request->target_columns, "target columns");
	if (request->secondary_source_columns || request->secondary_target_columns)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" can only be given with \"%s\"",
						request->secondary_source_columns ? "secondary_source_columns" :
						"secondary_target_columns", "secondary")));

	if (request->direction != NULL)
		rel->direction = cascade_read_direction(request->direction);
	else if (rel->source == rel->target)
		error_direction(rel);
	else if (to_many != NIL && to_one != NIL)
		error_ambiguous(rel->target, rel->source, list_concat(to_many, to_one),
						"direction or foreign_key");
	else
	{
		rel->direction = to_one != NIL ? CASCADE_MANY_TO_ONE : CASCADE_ONE_TO_MANY;
		all = list_concat(all, all_to_one);
	}
	fitting = rel->direction == CASCADE_ONE_TO_MANY ? to_many : to_one;
	if (fitting == NIL)
	{
		if (!by_columns || request->foreign_key)
			error_no_foreign_key(rel, request, request->direction == NULL ||
								 rel->direction == CASCADE_ONE_TO_MANY ? all : all_to_one);
		tie_by_columns(rel, request);
		return;
	}
	if (list_length(fitting) > 1 && !by_columns)
		error_ambiguous(rel->target, rel->source, fitting,
						rel->direction == CASCADE_ONE_TO_MANY ?
						"foreign_key or target_columns" : "foreign_key or source_columns");
	/* of several with the same columns any will do */
	found = linitial(fitting);
	rel->foreign_key = found->name;
	rel->source_columns = rel->direction == CASCADE_ONE_TO_MANY ?
		found->parent_columns : found->child_columns;
	rel->target_columns = rel->direction == CASCADE_ONE_TO_MANY ?
		found->child_columns : found->parent_columns;
}

/*
 * The secondary holds a key for each end.
 */
static void
find_links(CascadeRelationship *rel, const CascadeTieRequest *request)
{
	bool		self = rel->source == rel->target;
	LinkEnd		source_end = {rel->source, rel->secondary,
		request->source_columns, request->secondary_source_columns,
	"source_columns", "secondary_source_columns"};
	LinkEnd		target_end = {rel->target, rel->secondary,
		request->target_columns, request->secondary_target_columns,
	"target_columns", "secondary_target_columns"};
	Candidate  *source;
	Candidate  *target;

	if (request->foreign_key)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" cannot be given with \"%s\"", "foreign_key", "secondary"),
				 errhint("Give the parameters secondary_source_columns and secondary_target_columns.")));
	check_columns(rel->secondary, request->secondary_source_columns);
	check_columns(rel->secondary, request->secondary_target_columns);
	/* the end of which more is known leaves the other one less to choose */
	if (self && request->secondary_source_columns == NIL)
	{
		target = find_link(&target_end, NULL, self);
		source = find_link(&source_end, target, self);
	}
	else
	{
		source = find_link(&source_end, NULL, self);
		target = find_link(&target_end, self ? source : NULL, self);
	}
	if (columns_fit(source->child_columns, target->child_columns) && rel->source == rel->target)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the two ends of a many-to-many relationship must be held by different columns")));
	rel->direction = CASCADE_MANY_TO_MANY;
	rel->foreign_key = NULL;
	rel->source_columns = source->parent_columns;
	rel->secondary_source_columns = source->child_columns;
	rel->target_columns = target->parent_columns;
	rel->secondary_target_columns = target->child_columns;
}

/*
 * The key by which the secondary holds one end; not the one that is taken by
 * the other.
 */
static Candidate *
find_link(LinkEnd *end, const Candidate *taken, bool self)
{
	List	   *all = find_candidates(end->parent, end->secondary);
	List	   *fitting = fitting_candidates(all, NULL, end->parent_columns, end->link_columns);
	Candidate  *found;
	ListCell   *lc;

	foreach(lc, fitting)
	{
		if (taken && same_columns(lfirst(lc), taken))
			fitting = foreach_delete_current(fitting, lc);
	}
	if (fitting != NIL)
	{
		found = linitial(fitting);
		for_each_from(lc, fitting, 1)
		{
			if (!same_columns(found, lfirst(lc)))
				error_ambiguous(end->secondary, end->parent, fitting, self ?
								"secondary_source_columns or secondary_target_columns" :
								end->link_parameter);
		}
		return found;
	}
	if (end->link_columns == NIL)
		error_no_link(end, all);
	found = palloc0(sizeof(Candidate));
	found->child_columns = end->link_columns;
	found->parent_columns = end->parent_columns ? end->parent_columns :
		primary_key_columns(end->parent);
	if (found->parent_columns == NIL)
		error_no_link(end, all);
	check_same_number(found->parent_columns, end->parent_parameter,
					  found->child_columns, end->link_parameter);
	return found;
}

static bool
same_columns(const Candidate *a, const Candidate *b)
{
	return columns_fit(a->child_columns, b->child_columns) &&
		columns_fit(a->parent_columns, b->parent_columns);
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

		/* one that references a partitioned table has others for its partitions */
		if (con->contype != CONSTRAINT_FOREIGN || con->confrelid != parent ||
			OidIsValid(con->conparentid) || cascade_is_temporal(con))
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
fitting_candidates(List *candidates, const char *name, List *parent_columns, List *child_columns)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, candidates)
	{
		Candidate  *candidate = lfirst(lc);

		if ((name == NULL || strcmp(name, candidate->name) == 0) &&
			columns_fit(parent_columns, candidate->parent_columns) &&
			columns_fit(child_columns, candidate->child_columns) &&
			pairs_fit(parent_columns, child_columns, candidate))
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
pairs_fit(List *parent_columns, List *child_columns, const Candidate *candidate)
{
	ListCell   *lcp;
	ListCell   *lcc;
	ListCell   *lcp2;
	ListCell   *lcc2;

	if (parent_columns == NIL || child_columns == NIL)
		return true;
	forboth(lcp, parent_columns, lcc, child_columns)
	{
		bool		paired = false;

		forboth(lcp2, candidate->parent_columns, lcc2, candidate->child_columns)
			paired |= strcmp(lfirst(lcp2), lfirst(lcp)) == 0 &&
			strcmp(lfirst(lcc2), lfirst(lcc)) == 0;
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
		bool		source_is_unique = columns_unique(rel->source, request->source_columns);
		bool		target_is_unique = columns_unique(rel->target, request->target_columns);

		if (source_is_unique == target_is_unique)
			error_direction(rel);
		rel->direction = target_is_unique ? CASCADE_MANY_TO_ONE : CASCADE_ONE_TO_MANY;
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

/*
 * As REFERENCES without columns.
 */
static List *
primary_key_columns(Oid relid)
{
	Relation	rel = table_open(relid, NoLock);
	Oid			pkey = cascade_primary_key_index(rel);
	List	   *names = NIL;

	if (OidIsValid(pkey))
	{
		Relation	index = index_open(pkey, AccessShareLock);

		for (int i = 0; i < index->rd_index->indnkeyatts; i++)
			names = lappend(names, get_attname(relid, index->rd_index->indkey.values[i], false));
		index_close(index, AccessShareLock);
	}
	table_close(rel, NoLock);
	return names;
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
check_same_number(List *a, const char *a_word, List *b, const char *b_word)
{
	if (list_length(a) != list_length(b))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("number of %s (%d) and %s (%d) must match",
						a_word, list_length(a), b_word, list_length(b))));
}

/*
 * cascade_read_direction
 *		The direction that a word means.  Error 22023 if it means none.
 */
CascadeDirection
cascade_read_direction(const char *word)
{
	for (int i = CASCADE_ONE_TO_MANY; i <= CASCADE_MANY_TO_MANY; i++)
	{
		if (strcmp(word, cascade_direction_word((CascadeDirection) i)) == 0)
			return (CascadeDirection) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized direction: \"%s\"", word),
			 errhint("Valid directions are \"one-to-many\", \"many-to-one\" and \"many-to-many\".")));
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
error_no_link(const LinkEnd *end, List *candidates)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("no foreign key ties secondary table \"%s\" to table \"%s\"",
					get_rel_name(end->secondary), get_rel_name(end->parent)),
			 candidates == NIL ? 0 :
			 errdetail("Candidates: %s.", list_candidates(candidates)),
			 errhint("Give the parameters %s and %s.", end->link_parameter, end->parent_parameter)));
}

static void
error_ambiguous(Oid target, Oid source, List *candidates, const char *parameters)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
			 errmsg("several foreign keys tie table \"%s\" and table \"%s\"",
					get_rel_name(target), get_rel_name(source)),
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
