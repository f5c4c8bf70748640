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
static CascadeTie *resolve_tie(CascadeRelationship *rel, Relation parent, List *parent_columns,
							   Relation child, List *child_columns);
static void add_partners(CascadeTie *tie, const CascadeTie *other);
static void resolve_discriminators(CascadeRelationship *rel, CascadeTie *tie, Relation child);
static void resolve_column(CascadeColumn *column, Relation parent, Relation child,
						   const char *parent_name, const char *child_name);
static void use_constraint_operators(const CascadeRelationship *rel, CascadeTie *tie);
static void resolve_key_type(CascadeColumn *column, bool only);
static bool any_is_hashed(Oid opr, Oid type, Oid array);
static Oid	array_type(Oid type);
static void resolve_propagation(CascadeRelationship *rel, Relation source, Relation target);
static bool key_is_unique(Relation rel, const CascadeTie *tie, bool immediate, bool exact,
						  Oid except);
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
 *		Make the ties of a relationship, in the current memory context, and
 *		its propagation as well.
 *
 * Errors if a column or an equality is missing: a relationship that cannot
 * act must not be silent.
 */
void
cascade_resolve_relationship(CascadeRelationship *rel)
{
	Relation	source = try_relation_open(rel->source, AccessShareLock);
	Relation	target = try_relation_open(rel->target, AccessShareLock);
	Relation	secondary = OidIsValid(rel->secondary) ?
		try_relation_open(rel->secondary, AccessShareLock) : NULL;
	CascadeTie *tie = NULL;

	if (source == NULL || target == NULL || (OidIsValid(rel->secondary) && secondary == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of relationship \"%s\" does not exist any more",
						NameStr(rel->name)),
				 errhint("Delete its row from cascade.relationship, as the owner of the extension.")));
	namestrcpy(&rel->source_name, RelationGetRelationName(source));
	switch (rel->direction)
	{
		case CASCADE_ONE_TO_MANY:
			tie = resolve_tie(rel, source, rel->source_columns, target, rel->target_columns);
			break;
		case CASCADE_MANY_TO_ONE:
			tie = resolve_tie(rel, target, rel->target_columns, source, rel->source_columns);
			rel->reference = tie;
			break;
		case CASCADE_MANY_TO_MANY:
			tie = resolve_tie(rel, source, rel->source_columns,
							  secondary, rel->secondary_source_columns);
			rel->reference = resolve_tie(rel, target, rel->target_columns,
										 secondary, rel->secondary_target_columns);
			add_partners(tie, rel->reference);
			add_partners(rel->reference, tie);
			break;
	}
	resolve_propagation(rel, source, target);
	if (secondary)
		relation_close(secondary, NoLock);
	relation_close(target, NoLock);
	relation_close(source, NoLock);
	if (rel->enforce)
		tie->enforce_by = rel;
	if (rel->enforce && rel->reference != NULL)
		rel->reference->enforce_by = rel;
	/* at last: an error leaves nothing half made */
	rel->tie = tie;
}

/*
 * cascade_tie_child_columns
 *		The numbers of a tie's columns in the child: the key, what tells of
 *		which kind it is, and the other key of a link row.
 */
Bitmapset *
cascade_tie_child_columns(const CascadeTie *tie)
{
	Bitmapset  *columns = NULL;

	for (int i = 0; i < tie->ncolumns; i++)
		columns = bms_add_member(columns, tie->columns[i].child_attno);
	for (int i = 0; i < tie->ndiscriminators; i++)
		columns = bms_add_member(columns, tie->discriminators[i].attno);
	for (int i = 0; i < tie->npartners; i++)
		columns = bms_add_member(columns, tie->partners[i]);
	return columns;
}

/*
 * Do two ties tie rows of the same tables, of the same kind, by the same
 * columns?
 */
bool
cascade_same_key(const CascadeTie *a, const CascadeTie *b)
{
	return cascade_same_columns(a, b) && cascade_same_discriminators(a, b);
}

bool
cascade_same_columns(const CascadeTie *a, const CascadeTie *b)
{
	if (a->parent != b->parent || a->child != b->child || a->ncolumns != b->ncolumns)
		return false;
	for (int i = 0; i < a->ncolumns; i++)
	{
		if (a->columns[i].parent_attno != b->columns[i].parent_attno ||
			a->columns[i].child_attno != b->columns[i].child_attno)
			return false;
	}
	return true;
}

bool
cascade_same_discriminators(const CascadeTie *a, const CascadeTie *b)
{
	if (a->ndiscriminators != b->ndiscriminators)
		return false;
	for (int i = 0; i < a->ndiscriminators; i++)
	{
		CascadeDiscriminator *kind = &a->discriminators[i];

		if (kind->attno != b->discriminators[i].attno ||
			!DatumGetBool(FunctionCall2Coll(&kind->eq, kind->collation, kind->value,
											b->discriminators[i].value)))
			return false;
	}
	return true;
}

/*
 * cascade_strengthen_tie
 *		Let a tie do what one more of its relationships asks for.  The
 *		relationship's own tie has the same key.
 *
 * Of many-to-many links go with either end, unless the relationship is not to
 * touch anything.  Of many-to-one the source is not touched when its target
 * goes.
 */
void
cascade_strengthen_tie(CascadeTie *tie, CascadeRelationship *rel, const CascadeTie *own)
{
	if (rel->direction == CASCADE_MANY_TO_MANY)
	{
		if (((rel->cascade & CASCADE_DELETE) || rel->nullify) && tie->unlink_by == NULL)
			tie->unlink_by = rel;
	}
	else if (rel->direction == CASCADE_ONE_TO_MANY && (rel->cascade & CASCADE_DELETE))
	{
		if (tie->delete_by == NULL)
			tie->delete_by = rel;
	}
	else if (rel->direction == CASCADE_ONE_TO_MANY && rel->nullify)
	{
		if (tie->nullify_by == NULL)
			tie->nullify_by = rel;
		for (int i = 0; i < tie->ncolumns; i++)
			tie->nullify_column[i] |= own->nullify_asked[i];
	}
	if ((rel->cascade & CASCADE_SAVE_UPDATE) && rel->follow_keys &&
		tie->follow_by == NULL)
		tie->follow_by = rel;
	if (tie->enforce_by == NULL)
		tie->enforce_by = own->enforce_by;
}

static int
compare_columns(const void *a, const void *b)
{
	return ((const CascadeColumn *) a)->child_attno -
		((const CascadeColumn *) b)->child_attno;
}

static CascadeTie *
resolve_tie(CascadeRelationship *rel, Relation parent, List *parent_columns,
			Relation child, List *child_columns)
{
	CascadeTie *tie = palloc0(sizeof(CascadeTie));
	ListCell   *lcp;
	ListCell   *lcc;

	tie->parent = RelationGetRelid(parent);
	tie->child = RelationGetRelid(child);
	tie->ncolumns = list_length(parent_columns);
	tie->columns = palloc0(sizeof(CascadeColumn) * tie->ncolumns);
	forboth(lcp, parent_columns, lcc, child_columns)
		resolve_column(&tie->columns[foreach_current_index(lcp)], parent, child,
					   lfirst(lcp), lfirst(lcc));
	use_constraint_operators(rel, tie);
	for (int i = 0; i < tie->ncolumns; i++)
		resolve_key_type(&tie->columns[i], tie->ncolumns == 1);
	resolve_discriminators(rel, tie, child);

	/* one order, so that relationships that share a key are found equal */
	qsort(tie->columns, tie->ncolumns, sizeof(CascadeColumn), compare_columns);

	tie->nullify_column = palloc0(sizeof(bool) * tie->ncolumns);
	tie->nullify_asked = palloc0(sizeof(bool) * tie->ncolumns);
	for (int i = 0; i < tie->ncolumns; i++)
	{
		AttrNumber	attno = tie->columns[i].child_attno;

		tie->nullify_asked[i] = rel->nullify_columns == NIL ||
			cascade_name_in_list(rel->nullify_columns, get_attname(tie->child, attno, false));
		if (TupleDescAttr(RelationGetDescr(child), attno - 1)->attnotnull)
			tie->child_not_null = true;
	}
	for (int i = 0; i < tie->ndiscriminators; i++)
	{
		if (TupleDescAttr(RelationGetDescr(child), tie->discriminators[i].attno - 1)->attnotnull)
			tie->child_not_null = true;
	}
	tie->parent_unique = key_is_unique(parent, tie, true, false, InvalidOid);
	tie->parent_unique_late = key_is_unique(parent, tie, false, false, InvalidOid);
	tie->child_indexed = key_is_indexed(child, tie);
	return tie;
}

/*
 * Of the ties that a link row holds each needs the other.
 */
static void
add_partners(CascadeTie *tie, const CascadeTie *other)
{
	tie->npartners = other->ncolumns;
	tie->partners = palloc(sizeof(AttrNumber) * other->ncolumns);
	for (int i = 0; i < other->ncolumns; i++)
		tie->partners[i] = other->columns[i].child_attno;
}

static int
compare_discriminators(const void *a, const void *b)
{
	return ((const CascadeDiscriminator *) a)->attno -
		((const CascadeDiscriminator *) b)->attno;
}

/*
 * The columns that tell of which kind a child is, and their values.  Error
 * 22P02 if a value is none of its column's type.
 */
static void
resolve_discriminators(CascadeRelationship *rel, CascadeTie *tie, Relation child)
{
	ListCell   *lcc;
	ListCell   *lcv;

	tie->ndiscriminators = list_length(rel->discriminator_columns);
	tie->discriminators = palloc0(sizeof(CascadeDiscriminator) * Max(tie->ndiscriminators, 1));
	forboth(lcc, rel->discriminator_columns, lcv, rel->discriminator_values)
	{
		CascadeDiscriminator *kind = &tie->discriminators[foreach_current_index(lcc)];
		Form_pg_attribute att;
		Oid			input;
		Oid			param;

		kind->attno = cascade_resolve_attno(child, lfirst(lcc));
		att = TupleDescAttr(RelationGetDescr(child), kind->attno - 1);
		kind->type = getBaseType(att->atttypid);
		kind->collation = att->attcollation;
		kind->eq_opr = equality(kind->type, kind->type);
		if (!OidIsValid(kind->eq_opr))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("discriminator column \"%s\" is of type %s, which has no equality",
							NameStr(att->attname), format_type_be(att->atttypid)),
					 errtablecol(child, kind->attno)));
		fmgr_info_cxt(get_opcode(kind->eq_opr), &kind->eq, CurrentMemoryContext);
		kind->text = pstrdup(lfirst(lcv));
		getTypeInputInfo(kind->type, &input, &param);
		kind->value = OidInputFunctionCall(input, kind->text, param, -1);
	}
	qsort(tie->discriminators, tie->ndiscriminators, sizeof(CascadeDiscriminator),
		  compare_discriminators);
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
resolve_column(CascadeColumn *column, Relation parent, Relation child,
			   const char *parent_name, const char *child_name)
{
	Form_pg_attribute parent_att;
	Form_pg_attribute child_att;

	column->parent_attno = cascade_resolve_attno(parent, parent_name);
	column->child_attno = cascade_resolve_attno(child, child_name);
	parent_att = TupleDescAttr(RelationGetDescr(parent), column->parent_attno - 1);
	child_att = TupleDescAttr(RelationGetDescr(child), column->child_attno - 1);
	column->parent_type = parent_att->atttypid;
	column->child_type = child_att->atttypid;
	column->parent_collation = parent_att->attcollation;
	column->child_collation = child_att->attcollation;
	column->parent_eq_opr = equality(column->parent_type, column->parent_type);
	column->child_eq_opr = equality(column->child_type, column->child_type);
	column->eq_opr = equality(column->parent_type, column->child_type);
	if (!OidIsValid(column->eq_opr) || !OidIsValid(column->parent_eq_opr) ||
		!OidIsValid(column->child_eq_opr))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("key columns \"%s\" and \"%s\" have no equality in common",
						parent_name, child_name),
				 errdetail("Column \"%s\" of table \"%s\" is of type %s, column \"%s\" of table \"%s\" of type %s.",
						   parent_name, RelationGetRelationName(parent),
						   format_type_be(column->parent_type),
						   child_name, RelationGetRelationName(child),
						   format_type_be(column->child_type)),
				 errtablecol(child, column->child_attno)));

	/*
	 * The parent's collation decides, as in foreign keys; it makes a
	 * difference only where one of the two is not deterministic.
	 */
	column->collate = OidIsValid(column->parent_collation) &&
		column->parent_collation != column->child_collation &&
		(!get_collation_isdeterministic(column->parent_collation) ||
		 (OidIsValid(column->child_collation) &&
		  !get_collation_isdeterministic(column->child_collation)));
}

/*
 * The types that keys are passed in to a statement: what the operator takes,
 * or the columns' own where the operator is polymorphic.
 */
static void
resolve_key_type(CascadeColumn *column, bool only)
{
	Oid			left;
	Oid			right;

	op_input_types(column->eq_opr, &left, &right);
	column->key_type = get_typtype(left) == TYPTYPE_PSEUDO ?
		getBaseType(column->parent_type) : left;
	column->key_array = array_type(column->key_type);
	column->held_type = get_typtype(right) != TYPTYPE_PSEUDO &&
		IsBinaryCoercible(getBaseType(column->child_type), right) ?
		right : getBaseType(column->child_type);
	column->held_array = array_type(column->held_type);
	/* keys that are held are told apart in that type, see keyset.c */
	if (column->held_type == right)
		column->child_eq_opr = equality(right, right);
	column->any = only && any_is_hashed(get_commutator(column->eq_opr), column->key_type,
										column->key_array);
	column->parent_any = only && any_is_hashed(column->parent_eq_opr, column->key_type,
											   column->key_array);
	column->held_any = only && column->held_type == right &&
		any_is_hashed(column->eq_opr, column->held_type, column->held_array);
}

/*
 * column = ANY (array) is hashed by the executor only if both sides hash
 * alike; without a hash it would compare each row with each key.
 */
static bool
any_is_hashed(Oid opr, Oid type, Oid array)
{
	Oid			left;
	Oid			right;
	RegProcedure left_hash;
	RegProcedure right_hash;

	if (!OidIsValid(opr) || (array == TEXTARRAYOID && type != TEXTOID))
		return false;
	op_input_types(opr, &left, &right);
	return left == right && get_op_hash_functions(opr, &left_hash, &right_hash) &&
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
		Oid			parent_type;
		Oid			child_type;

		pair->parent_attno = cascade_resolve_attno(source, lfirst(lcs));
		pair->child_attno = cascade_resolve_attno(target, lfirst(lct));
		parent_type = get_atttype(rel->source, pair->parent_attno);
		child_type = get_atttype(rel->target, pair->child_attno);
		pair->eq_opr = equality(parent_type, child_type);
		if (!OidIsValid(pair->eq_opr) ||
			!can_coerce_type(1, &parent_type, &child_type, COERCION_ASSIGNMENT))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" cannot be propagated to column \"%s\"",
							(char *) lfirst(lcs), (char *) lfirst(lct)),
					 errdetail("Their types %s and %s have no equality in common or no assignment cast.",
							   format_type_be(parent_type), format_type_be(child_type)),
					 errtablecol(target, pair->child_attno)));
		pair->type = getBaseType(parent_type);
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
	oid = get_relation_constraint_oid(tie->child, rel->foreign_key, true);
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
				if (tie->columns[j].parent_attno == confkey[i] &&
					tie->columns[j].child_attno == conkey[i])
				{
					tie->columns[j].eq_opr = pf_eq[i];
					tie->columns[j].parent_eq_opr = pp_eq[i];
					tie->columns[j].child_eq_opr = ff_eq[i];
				}
			}
		}
	}
	ReleaseSysCache(tuple);
}

/*
 * Is an index column of the parent one of the key, and does the index tell
 * keys apart as the tie does, if it has an operator to tell?
 */
static bool
index_column_in_key(Relation index, int pos, const CascadeTie *tie)
{
	AttrNumber	attno = index->rd_index->indkey.values[pos];

	for (int i = 0; i < tie->ncolumns; i++)
	{
		const CascadeColumn *column = &tie->columns[i];

		if (attno == column->parent_attno)
			return !OidIsValid(column->parent_eq_opr) ||
				(op_in_opfamily(column->parent_eq_opr, index->rd_opfamily[pos]) &&
				 index->rd_indcollation[pos] == column->parent_collation);
	}
	return false;
}

/*
 * Does an index of the child lead to keys, discriminators before them apart?
 */
static bool
index_finds_key(Relation index, const CascadeTie *tie)
{
	for (int pos = 0; pos < index->rd_index->indnkeyatts; pos++)
	{
		AttrNumber	attno = index->rd_index->indkey.values[pos];
		bool		kind = false;

		for (int i = 0; i < tie->ncolumns; i++)
		{
			if (attno == tie->columns[i].child_attno)
				return true;
		}
		for (int i = 0; i < tie->ndiscriminators; i++)
			kind |= attno == tie->discriminators[i].attno;
		if (!kind)
			return false;
	}
	return false;
}

/*
 * Does an index but this one make the tie's key unique on the parent?  If at
 * once, a key that was deleted can only exist again by an insert.  Exact: it
 * has no fewer columns than the key.
 */
static bool
key_is_unique(Relation rel, const CascadeTie *tie, bool immediate, bool exact, Oid except)
{
	List	   *indexes = RelationGetIndexList(rel);
	bool		unique = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;
		bool		covered = form->indexrelid != except && form->indisunique && form->indisvalid &&
			(form->indimmediate || !immediate) &&
			(form->indnkeyatts == tie->ncolumns || !exact) &&
			RelationGetIndexExpressions(index) == NIL &&
			RelationGetIndexPredicate(index) == NIL;

		for (int i = 0; covered && i < form->indnkeyatts; i++)
			covered = index_column_in_key(index, i, tie);
		unique |= covered;
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return unique;
}

/*
 * cascade_key_is_referenceable
 *		Has the parent a unique index on the key and nothing else, as a
 *		foreign key needs it?  One that was made DEFERRABLE since has been
 *		needed before.  One index may be left out.
 */
bool
cascade_key_is_referenceable(const CascadeTie *tie, bool immediate, Oid except)
{
	Relation	rel = table_open(tie->parent, AccessShareLock);
	bool		found = key_is_unique(rel, tie, immediate, true, except);

	table_close(rel, AccessShareLock);
	return found;
}

/*
 * cascade_unique_index
 *		What unique index has a table on these columns and no others?  One
 *		index may be left out.  The caller holds a lock on the table.
 */
CascadeUnique
cascade_unique_index(Oid relid, List *columns, Oid except)
{
	Relation	rel = table_open(relid, NoLock);
	CascadeTie *tie = palloc0(sizeof(CascadeTie));
	CascadeUnique unique = CASCADE_UNIQUE_NONE;
	ListCell   *lc;

	tie->columns = palloc0(sizeof(CascadeColumn) * list_length(columns));
	foreach(lc, columns)
		tie->columns[tie->ncolumns++].parent_attno = cascade_resolve_attno(rel, lfirst(lc));
	if (key_is_unique(rel, tie, false, true, except))
		unique = CASCADE_UNIQUE_BY_OTHER;
	for (int i = 0; i < tie->ncolumns; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  tie->columns[i].parent_attno - 1);

		tie->columns[i].parent_eq_opr = equality(att->atttypid, att->atttypid);
		tie->columns[i].parent_collation = att->attcollation;
		if (!OidIsValid(tie->columns[i].parent_eq_opr))
			unique = CASCADE_UNIQUE_NONE;
	}
	if (unique != CASCADE_UNIQUE_NONE && key_is_unique(rel, tie, false, true, except))
		unique = CASCADE_UNIQUE_BY_DEFAULT;
	table_close(rel, NoLock);
	return unique;
}

/*
 * Does a btree on the child lead with a key column, or with a discriminator
 * and a key column behind it?
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
			index_finds_key(index, tie);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return indexed;
}
