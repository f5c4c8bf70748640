/*-------------------------------------------------------------------------
 *
 * error.c
 *	  the error fields that name a table or a column
 *
 * As errtable() and errtablecol(), for what is known by OID or by name only.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/error.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cascade.h"
#include "postgres_ext.h"
#include "utils/lsyscache.h"

/*
 * cascade_errtable
 *		Name a table in the error under way.
 */
int
cascade_errtable(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name)
	{
		err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(get_rel_namespace(relid)));
		err_generic_string(PG_DIAG_TABLE_NAME, name);
	}
	return 0;
}

/*
 * cascade_errcolumn
 *		Name a table and a column, which need not exist.
 */
int
cascade_errcolumn(Oid relid, const char *column)
{
	cascade_errtable(relid);
	err_generic_string(PG_DIAG_COLUMN_NAME, column);
	return 0;
}
