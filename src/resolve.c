/*-------------------------------------------------------------------------
 *
 * resolve.c
 *	  from the names of a relationship to numbers, types and operators
 *
 * The equality of a pair of key columns is found as ADD FOREIGN KEY finds it:
 * from the constraint where there is one, else from the default btree
 * operator family of the source's type.  It never depends on search_path.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/resolve.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "cascade.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "compat.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static Oid	equality(Oid left_type, Oid right_type);
static CascadeTie *resolve_tie(CascadeRelationship *rel, Relation source, Relation target);
static void resolve_column(CascadeColumn *column, Relation source, Relation target,
						   const char *source_name, const char *target_name);
static void use_constraint_operators(const CascadeRelationship *rel, CascadeTie *tie);
static void resolve_key_type(CascadeColumn *column, bool only);
static Oid	array_type(Oid type);
static void resolve_propagation(CascadeRelationship *rel, Relation source, Relation target);
static bool key_is_unique(Relation rel, const CascadeTie *tie, bool immediate);
static bool key_is_indexed(Relation rel, const CascadeTie *tie);

/*
 * cascade_resolve_attno
 *		Number of a user column.  Error 42703 if there is none.
 */
AttrNumber
cascade_resolve_attno(Relation rel, const char *name)
{
	AttrNumber	attno = get_attnum(RelationGetRelid(rel), name);

	if (attno <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, RelationGetRelationName(rel)),
				 cascade_errcolumn(RelationGetRelid(rel), name)));
	return attno;
}

/*
 * The operator left = right; InvalidOid if the types have none.
 *
 * As ATAddForeignKeyConstraint: the equality of the default btree family of
 * the left type that takes the right type, else the one within the left type
 * if the right one is implicitly coerced to it.
 */
static Oid
equality(Oid left_type, Oid right_type)
{
	Oid			left_base = getBaseType(left_type);
	Oid			right_base = getBaseType(right_type);
	Oid			opclass = GetDefaultOpClass(left_base, BTREE_AM_OID);
	Oid			opfamily;
	Oid			opcintype;
	Oid			opr;

	if (!OidIsValid(opclass))
		return InvalidOid;
	opfamily = get_opclass_family(opclass);
	opcintype = get_opclass_input_type(opclass);

	opr = get_opfamily_member(opfamily, opcintype, right_base, BTEqualStrategyNumber);
	if (OidIsValid(opr))
		return opr;
	if (IsPolymorphicType(opcintype) ? left_base != right_base :
		!can_coerce_type(1, &right_base, &opcintype, COERCION_IMPLICIT))
		return InvalidOid;
	return get_opfamily_member(opfamily, opcintype, opcintype, BTEqualStrategyNumber);
}

/*
 * cascade_resolve_relationship
 *		The tie of a relationship, in the current memory context; fills in
 *		its propagation as well.
 *
 * Errors if a column or an equality is missing: a relationship that cannot
 * act must not be silent.
 */
CascadeTie *
cascade_resolve_relationship(CascadeRelationship *rel)
{
	Relation	source = try_relation_open(rel->source, AccessShareLock);
	Relation	target = try_relation_open(rel->target, AccessShareLock);
	CascadeTie *tie;

	if (source == NULL || target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of relationship \"%s\" does not exist any more",
						NameStr(rel->name)),
				 errhint("Delete its row from cascade.relationship, as the owner of the extension.")));
	namestrcpy(&rel->source_name, RelationGetRelationName(source));
	tie = resolve_tie(rel, source, target);
	resolve_propagation(rel, source, target);
	relation_close(target, NoLock);
	relation_close(source, NoLock);
	return tie;
}

/*
 * Do two ties of one source tie the same target by the same columns?
 */
bool
cascade_same_key(const CascadeTie *a, const CascadeTie *b)
{
	if (a->target != b->target || a->ncolumns != b->ncolumns)
		return false;
	for (int i = 0; i < a->ncolumns; i++)
	{
		if (a->columns[i].source_attno != b->columns[i].source_attno ||
			a->columns[i].target_attno != b->columns[i].target_attno)
			return false;
	}
	return true;
}

/*
 * cascade_strengthen_tie
 *		Let a tie do what one more of its relationships asks for.
 */
void
cascade_strengthen_tie(CascadeTie *tie, CascadeRelationship *rel)
{
	if (rel->cascade & CASCADE_DELETE)
	{
		if (tie->delete_by == NULL)
			tie->delete_by = rel;
	}
	else if (rel->nullify)
	{
		if (tie->nullify_by == NULL)
			tie->nullify_by = rel;
		for (int i = 0; i < tie->ncolumns; i++)
			tie->nullify_column[i] |= rel->tie->nullify_asked[i];
	}
	if ((rel->cascade & CASCADE_SAVE_UPDATE) && rel->follow_keys &&
		tie->follow_by == NULL)
		tie->follow_by = rel;
}

static int
compare_columns(const void *a, const void *b)
{
	return ((const CascadeColumn *) a)->target_attno -
		((const CascadeColumn *) b)->target_attno;
}

static CascadeTie *
resolve_tie(CascadeRelationship *rel, Relation source, Relation target)
{
	CascadeTie *tie = palloc0(sizeof(CascadeTie));
	ListCell   *lcs;
	ListCell   *lct;

	tie->source = rel->source;
	tie->target = rel->target;
	tie->ncolumns = list_length(rel->source_columns);
	tie->columns = palloc0(sizeof(CascadeColumn) * tie->ncolumns);
	forboth(lcs, rel->source_columns, lct, rel->target_columns)
		resolve_column(&tie->columns[foreach_current_index(lcs)], source, target,
					   lfirst(lcs), lfirst(lct));
	use_constraint_operators(rel, tie);
	for (int i = 0; i < tie->ncolumns; i++)
		resolve_key_type(&tie->columns[i], tie->ncolumns == 1);

	/* one order, so that relationships that share a key are found equal */
	qsort(tie->columns, tie->ncolumns, sizeof(CascadeColumn), compare_columns);

	tie->nullify_column = palloc0(sizeof(bool) * tie->ncolumns);
	tie->nullify_asked = palloc0(sizeof(bool) * tie->ncolumns);
	for (int i = 0; i < tie->ncolumns; i++)
	{
		AttrNumber	attno = tie->columns[i].target_attno;

		tie->nullify_asked[i] = rel->nullify_columns == NIL ||
			cascade_name_in_list(rel->nullify_columns, get_attname(rel->target, attno, false));
		if (TupleDescAttr(RelationGetDescr(target), attno - 1)->attnotnull)
			tie->target_not_null = true;
	}
	tie->source_unique = key_is_unique(source, tie, true);
	tie->source_unique_late = key_is_unique(source, tie, false);
	tie->target_indexed = key_is_indexed(target, tie);
	return tie;
}

bool
cascade_name_in_list(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

/*
 * A pair of columns: their types and their equality.
 */
static void
resolve_column(CascadeColumn *column, Relation source, Relation target,
			   const char *source_name, const char *target_name)
{
	Form_pg_attribute source_att;
	Form_pg_attribute target_att;

	column->source_attno = cascade_resolve_attno(source, source_name);
	column->target_attno = cascade_resolve_attno(target, target_name);
	source_att = TupleDescAttr(RelationGetDescr(source), column->source_attno - 1);
	target_att = TupleDescAttr(RelationGetDescr(target), column->target_attno - 1);
	column->source_type = source_att->atttypid;
	column->target_type = target_att->atttypid;
	column->source_collation = source_att->attcollation;
	column->target_collation = target_att->attcollation;
	column->source_eq_opr = equality(column->source_type, column->source_type);
	column->eq_opr = equality(column->source_type, column->target_type);
	if (!OidIsValid(column->eq_opr) || !OidIsValid(column->source_eq_opr))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("key columns \"%s\" and \"%s\" have no equality in common",
						source_name, target_name),
				 errdetail("Column \"%s\" of table \"%s\" is of type %s, column \"%s\" of table \"%s\" of type %s.",
						   source_name, RelationGetRelationName(source),
						   format_type_be(column->source_type),
						   target_name, RelationGetRelationName(target),
						   format_type_be(column->target_type)),
				 errtablecol(target, column->target_attno)));

	/*
	 * The source's collation decides, as in foreign keys; it makes a
	 * difference only where one of the two is not deterministic.
	 */
	column->collate = OidIsValid(column->source_collation) &&
		column->source_collation != column->target_collation &&
		(!get_collation_isdeterministic(column->source_collation) ||
		 (OidIsValid(column->target_collation) &&
		  !get_collation_isdeterministic(column->target_collation)));
}

/*
 * The type that keys are passed in to a statement: what the operator takes,
 * or the source's own where the operator is polymorphic.
 */
static void
resolve_key_type(CascadeColumn *column, bool only)
{
	Oid			left;
	Oid			right;
	Oid			commutator = get_commutator(column->eq_opr);
	RegProcedure left_hash;
	RegProcedure right_hash;

	op_input_types(column->eq_opr, &left, &right);
	column->key_type = get_typtype(left) == TYPTYPE_PSEUDO ?
		getBaseType(column->source_type) : left;
	column->key_array = array_type(column->key_type);

	/*
	 * fk = ANY (array) is hashed by the executor only if both sides hash
	 * alike; without a hash it would compare each row with each key.
	 */
	column->any = only &&
		(column->key_array != TEXTARRAYOID || column->key_type == TEXTOID) &&
		left == right && OidIsValid(commutator) &&
		get_op_hash_functions(commutator, &left_hash, &right_hash) &&
		left_hash == right_hash;
}

/*
 * The array type that many values of a type are passed in.  Arrays have none,
 * and unnest() would take rows apart: they travel as text; see keyset.c.
 */
static Oid
array_type(Oid type)
{
	Oid			array = type_is_rowtype(type) ? InvalidOid : get_array_type(type);

	return OidIsValid(array) ? array : TEXTARRAYOID;
}

static void
resolve_propagation(CascadeRelationship *rel, Relation source, Relation target)
{
	ListCell   *lcs;
	ListCell   *lct;
	int			i = 0;

	rel->npropagate = list_length(rel->propagate_source);
	rel->propagations = palloc0(sizeof(CascadePropagation) * Max(rel->npropagate, 1));
	forboth(lcs, rel->propagate_source, lct, rel->propagate_target)
	{
		CascadePropagation *pair = &rel->propagations[i++];
		Oid			source_type;
		Oid			target_type;

		pair->source_attno = cascade_resolve_attno(source, lfirst(lcs));
		pair->target_attno = cascade_resolve_attno(target, lfirst(lct));
		source_type = get_atttype(rel->source, pair->source_attno);
		target_type = get_atttype(rel->target, pair->target_attno);
		pair->eq_opr = equality(source_type, target_type);
		if (!OidIsValid(pair->eq_opr) ||
			!can_coerce_type(1, &source_type, &target_type, COERCION_ASSIGNMENT))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" cannot be propagated to column \"%s\"",
							(char *) lfirst(lcs), (char *) lfirst(lct)),
					 errdetail("Their types %s and %s have no equality in common or no assignment cast.",
							   format_type_be(source_type), format_type_be(target_type)),
					 errtablecol(target, pair->target_attno)));
		pair->type = getBaseType(source_type);
		pair->array = array_type(pair->type);
	}
}

/*
 * A foreign key may compare by other operators than the default ones; the
 * cascade must find the rows that the constraint means.
 */
static void
use_constraint_operators(const CascadeRelationship *rel, CascadeTie *tie)
{
	Oid			oid;
	HeapTuple	tuple;
	int			n;
	AttrNumber	conkey[INDEX_MAX_KEYS];
	AttrNumber	confkey[INDEX_MAX_KEYS];
	Oid			pf_eq[INDEX_MAX_KEYS];
	Oid			pp_eq[INDEX_MAX_KEYS];
	Oid			ff_eq[INDEX_MAX_KEYS];

	if (rel->foreign_key == NULL)
		return;
	oid = get_relation_constraint_oid(rel->target, rel->foreign_key, true);
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(tuple))
		return;					/* dropped since: the columns still tie */
	if (((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_FOREIGN)
	{
		DeconstructFkConstraintRow(tuple, &n, conkey, confkey, pf_eq, pp_eq, ff_eq,
								   NULL, NULL);
		for (int i = 0; i < n; i++)
		{
			for (int j = 0; j < tie->ncolumns; j++)
			{
				if (tie->columns[j].source_attno == confkey[i] &&
					tie->columns[j].target_attno == conkey[i])
				{
					tie->columns[j].eq_opr = pf_eq[i];
					tie->columns[j].source_eq_opr = pp_eq[i];
				}
			}
		}
	}
	ReleaseSysCache(tuple);
}

/*
 * Position of the key column that an index column holds; -1 if none.  On the
 * source the index must also tell keys apart as the tie does.
 */
static int
index_column_in_key(Relation index, int pos, const CascadeTie *tie, bool source)
{
	AttrNumber	attno = index->rd_index->indkey.values[pos];

	for (int i = 0; i < tie->ncolumns; i++)
	{
		const CascadeColumn *column = &tie->columns[i];

		if (attno != (source ? column->source_attno : column->target_attno))
			continue;
		if (source &&
			(!op_in_opfamily(column->source_eq_opr, index->rd_opfamily[pos]) ||
			 index->rd_indcollation[pos] != column->source_collation))
			return -1;
		return i;
	}
	return -1;
}

/*
 * Does an index make the tie's key unique on the source?  If at once, a key
 * that was deleted can only exist again by an insert.
 */
static bool
key_is_unique(Relation rel, const CascadeTie *tie, bool immediate)
{
	List	   *indexes = RelationGetIndexList(rel);
	bool		unique = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;
		bool		covered = form->indisunique && form->indisvalid &&
			(form->indimmediate || !immediate) &&
			RelationGetIndexExpressions(index) == NIL &&
			RelationGetIndexPredicate(index) == NIL;

		for (int i = 0; covered && i < form->indnkeyatts; i++)
			covered = index_column_in_key(index, i, tie, true) >= 0;
		unique |= covered;
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return unique;
}

/*
 * Does a btree on the target lead with a key column?
 */
static bool
key_is_indexed(Relation rel, const CascadeTie *tie)
{
	List	   *indexes = RelationGetIndexList(rel);
	bool		indexed = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		indexed |= index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
			RelationGetIndexPredicate(index) == NIL &&
			index_column_in_key(index, 0, tie, false) >= 0;
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return indexed;
}
