/*
 * fault_point.c
 *	  The setting behind fault_point.h; an empty file unless built for tests.
 */
#include "postgres.h"

#include "util/fault_point.h"

#ifdef PGT_FAULT_POINTS

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "postmaster/bgworker.h"
#include "utils/guc.h"

/* a process that dies "once" makes this file in the data directory */
#define ONCE_FILE	"pg_topics_died_once"

static char *fault_point = NULL;
static int	failing_allocation = 0;	/* how many allocations from here the one is that fails; 0: none does */
static int	passed = 0;			/* how often the place to halt at was passed since the setting was set */

/* The action that the setting has for this place: "" to die, NULL if it names another place. */
static const char *
wanted_action(const char *name)
{
	size_t		length = strlen(name);

	if (fault_point == NULL || strncmp(fault_point, name, length) != 0)
		return NULL;
	if (fault_point[length] == '\0')
		return "";
	return fault_point[length] == ':' ? fault_point + length + 1 : NULL;
}

/* Is this the first time?  If so, makes the file that says so. */
static bool
first_time(void)
{
	int			fd = open(ONCE_FILE, O_CREAT | O_EXCL | O_WRONLY, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void
pgt_fault_point(const char *name)
{
	const char *action = wanted_action(name);

	if (action == NULL)
		return;
	if (strcmp(action, "stop") == 0)
	{
		write_stderr("pg_topics: stopping at fault point \"%s\"\n", name);
		raise(SIGSTOP);
	}
	else if (action[0] == '\0' || (strcmp(action, "once") == 0 && first_time()))
	{
		write_stderr("pg_topics: dying at fault point \"%s\"\n", name);
		_exit(2);
	}
}

bool
pgt_fault_point_error(const char *name)
{
	static const struct
	{
		const char *name;
		int			number;
	}			errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EACCES", EACCES}};
	const char *action = wanted_action(name);

	for (int i = 0; action != NULL && i < lengthof(errors); i++)
		if (strcmp(action, errors[i].name) == 0)
		{
			errno = errors[i].number;
			return true;
		}
	return false;
}

bool
pgt_fault_point_is(const char *name, const char *word)
{
	const char *action = wanted_action(name);

	return action != NULL && strcmp(action, word) == 0;
}

bool
pgt_fault_point_skip(const char *name)
{
	return pgt_fault_point_is(name, "skip");
}

void
pgt_fault_point_halt(const char *name)
{
	const char *action = wanted_action(name);
	int			nth = 1;

	if (action == NULL || strncmp(action, "halt", 4) != 0)
		return;
	if (action[4] == ':')
		nth = atoi(action + 5);
	if (++passed == nth)
		raise(SIGSTOP);
}

/* Is an allocation to fail, that of the number which the setting says?  The process is one that serves Kafka's clients. */
bool
pgt_fault_point_allocation(void)
{
	if (failing_allocation == 0 || --failing_allocation > 0)
		return false;
	write_stderr("pg_topics: letting an allocation fail\n");
	return true;
}

/* The setting was set: count from here on how often the place is passed. */
static void
assign_fault_point(const char *value, void *extra)
{
	passed = 0;
	failing_allocation = 0;
	if (value != NULL && strncmp(value, "allocation:", 11) == 0 && MyBgworkerEntry != NULL &&
		strcmp(MyBgworkerEntry->bgw_type, "pg_topics kafka") == 0)
		failing_allocation = atoi(value + 11);
}

void
pgt_fault_point_init(void)
{
	DefineCustomStringVariable("pg_topics.fault_point",
							   "Place at which the process dies, stops or meets an error.",
							   NULL, &fault_point, "", PGC_SUSET,
							   GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL, NULL, assign_fault_point, NULL);
}

#endif
