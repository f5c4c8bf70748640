/*-------------------------------------------------------------------------
 *
 * options.c
 *	  the words of the cascade option
 *
 * They parse as SQLAlchemy's CascadeOptions parses them: words between
 * commas, white space around them free, case-sensitive, empty words dropped.
 * "all" is the first five and holds no delete-orphan, and "none" anywhere
 * empties the set.
 *
 * Copyright (c) 2026, cascade contributors
 *
 * IDENTIFICATION
 *	  src/options.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "cascade.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

static const struct
{
	const char *word;
	int			option;
}			option_words[] =
{
	/* sorted, as cascade.relationship shows them */
	{"delete", CASCADE_DELETE},
	{"delete-orphan", CASCADE_DELETE_ORPHAN},
	{"expunge", CASCADE_EXPUNGE},
	{"merge", CASCADE_MERGE},
	{"refresh-expire", CASCADE_REFRESH_EXPIRE},
	{"save-update", CASCADE_SAVE_UPDATE},
};

/*
 * cascade_option_of_word
 *		The option that a word names; "all" names several.  0 if it names none.
 */
int
cascade_option_of_word(const char *word)
{
	if (strcmp(word, "all") == 0)
		return CASCADE_ALL;
	for (int i = 0; i < lengthof(option_words); i++)
	{
		if (strcmp(word, option_words[i].word) == 0)
			return option_words[i].option;
	}
	return 0;
}

/*
 * Split text at commas, trim white space, drop empty words.
 */
static List *
split_words(const char *text)
{
	List	   *words = NIL;
	const char *p = text;

	for (;;)
	{
		const char *start;
		const char *end;

		while (isspace((unsigned char) *p))
			p++;
		start = p;
		while (*p != '\0' && *p != ',')
			p++;
		end = p;
		while (end > start && isspace((unsigned char) end[-1]))
			end--;
		if (end > start)
			words = lappend(words, pnstrdup(start, end - start));
		if (*p == '\0')
			return words;
		p++;
	}
}

static int
compare_words(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * cascade_parse_options
 *		The CASCADE_xxx options that a text names.
 *
 * Words that name none are an error (22023) that lists them all, sorted, as
 * SQLAlchemy's "Invalid cascade option(s)" does.
 */
int
cascade_parse_options(const char *text)
{
	int			options = 0;
	bool		none = false;
	List	   *invalid = NIL;
	ListCell   *lc;

	foreach(lc, split_words(text))
	{
		char	   *word = lfirst(lc);
		int			option = cascade_option_of_word(word);

		if (strcmp(word, "none") == 0)
			none = true;
		else if (option == 0)
			invalid = lappend(invalid, word);
		else
			options |= option;
	}

	if (invalid != NIL)
	{
		StringInfoData names;

		list_sort(invalid, compare_words);
		initStringInfo(&names);
		foreach(lc, invalid)
			appendStringInfo(&names, "%s\"%s\"",
							 names.len > 0 ? ", " : "", (char *) lfirst(lc));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg_plural("unrecognized cascade option: %s",
							   "unrecognized cascade options: %s",
							   list_length(invalid), names.data),
				 errhint("Valid options are save-update, merge, refresh-expire, expunge, delete, delete-orphan, all and none.")));
	}

	if (none)
		options = 0;
	return options;
}

/*
 * cascade_warn_of_options
 *		SQLAlchemy's warning of delete-orphan without delete.
 */
void
cascade_warn_of_options(int options, CascadeDirection direction)
{
	if ((options & CASCADE_DELETE_ORPHAN) && !(options & CASCADE_DELETE))
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("cascade option \"delete-orphan\" is meant to go with \"delete\""),
				 direction == CASCADE_ONE_TO_MANY ?
				 errdetail("The deletion of a parent sets its children's keys to null, and the orphan rule then deletes them.") : 0));
}

/*
 * cascade_option_names
 *		The words of a set of options, sorted, as a List of char *.
 */
List *
cascade_option_names(int options)
{
	List	   *names = NIL;

	for (int i = 0; i < lengthof(option_words); i++)
	{
		if (options & option_words[i].option)
			names = lappend(names, pstrdup(option_words[i].word));
	}
	return names;
}
