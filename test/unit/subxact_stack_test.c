/*
 * subxact_stack_test.c
 *	  Tests of subxact_stack.c and subxact_version.c without a server: what they take back,
 *	  and in how many steps.
 *
 * "make unit" builds and runs it.  Output is TAP, the exit code 1 on a failure.  The few
 * functions of the server that the stack calls are replaced by plain ones below.
 */
#include "postgres.h"

#include "assertion.h"
#include "tap.h"
#include "access/xact.h"
#include "util/subxact_version.h"
#include "utils/memutils.h"

#define THINGS	1000

/* ---- what the stack takes from the server --------------------------------- */

static SubTransactionId current = TopSubTransactionId;
static SubTransactionId last_subid = TopSubTransactionId;

SubTransactionId
GetCurrentSubTransactionId(void)
{
	return current;
}

static int	freed = 0;

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return malloc(size);
}

void
pfree(void *pointer)
{
	freed++;
	free(pointer);
}

void *
repalloc_huge(void *pointer, Size size)
{
	return realloc(pointer, size);
}

/* ---- a thing: a number, with what it was before each subtransaction -------- */

typedef struct Thing
{
	int			value;
	int			depth;
	SubTransactionId subids[16];
	int			before[16];
} Thing;

static SubxactStack stack;
static Thing things[THINGS];
static SubTransactionId enclosing[16];
static int	nesting = 0;
static int	steps = 0;

static void
undo(void *arg, SubTransactionId subid)
{
	Thing	   *thing = arg;

	steps++;
	if (thing->depth > 0 && thing->subids[thing->depth - 1] == subid)
		thing->value = thing->before[--thing->depth];
}

static bool
inherit(void *arg, SubTransactionId subid, SubTransactionId parent)
{
	Thing	   *thing = arg;

	steps++;
	if (parent == TopSubTransactionId ||
		(thing->depth > 1 && thing->subids[thing->depth - 2] == parent))
	{
		thing->depth--;
		return false;
	}
	thing->subids[thing->depth - 1] = parent;
	return true;
}

static void
set(int n, int value)
{
	Thing	   *thing = &things[n];

	if (current != TopSubTransactionId &&
		(thing->depth == 0 || thing->subids[thing->depth - 1] != current))
	{
		pgt_subxact_stack_note(&stack, NULL, GetCurrentSubTransactionId(), thing);
		thing->before[thing->depth] = thing->value;
		thing->subids[thing->depth++] = current;
	}
	thing->value = value;
}

static void
begin(void)
{
	enclosing[nesting++] = current;
	current = ++last_subid;
}

static void
end(bool commit)
{
	SubTransactionId parent = enclosing[--nesting];

	if (commit)
		pgt_subxact_stack_release(&stack, current, parent, inherit);
	else
		pgt_subxact_stack_undo(&stack, current, undo);
	current = parent;
}

static void
forget(void)
{
	free(stack.items);
	pgt_subxact_stack_forget(&stack);
	memset(things, 0, sizeof(things));
	steps = 0;
}

/* ---- tests ---------------------------------------------------------------- */

static void
test_nested(void)
{
	set(0, 1);
	begin();
	set(0, 2);
	set(1, 2);
	begin();
	set(0, 3);
	set(2, 3);
	end(true);
	ok(things[0].value == 3 && things[2].value == 3, "a release leaves what was done");
	begin();
	set(1, 4);
	end(false);
	ok(things[1].value == 2, "a rollback takes back to the subtransaction's begin");
	end(false);
	ok(things[0].value == 1 && things[1].value == 0 && things[2].value == 0,
	   "a rollback takes back what inner subtransactions have left");
	ok(stack.count == 0, "then nothing is noted");
	forget();
}

static void
test_steps(void)
{
	for (int n = 0; n < THINGS; n++)
		set(n, 1);
	ok(stack.count == 0, "the transaction itself notes nothing");
	for (int n = 0; n < THINGS; n++)
	{
		begin();
		set(n, 2);
		end(n % 2 == 0);
	}
	ok(steps == THINGS, "a step for each subtransaction that has changed one thing");
	forget();

	begin();
	for (int n = 0; n < THINGS; n++)
		set(n, 1);
	for (int n = 0; n < THINGS; n++)
	{
		begin();
		end(false);
	}
	ok(steps == 0, "none for those that have changed nothing");
	for (int n = 0; n < 10 * THINGS; n++)
	{
		begin();
		set(n % THINGS, n);
		end(true);
	}
	ok(stack.count == THINGS, "a parent has each thing once, however often its children change it");
	end(true);
	ok(stack.count == 0 && things[7].value == 9 * THINGS + 7, "at the end there is nothing to take back");
	forget();
}

/* ---- versions ------------------------------------------------------------- */

typedef struct NumberVersion
{
	SubxactVersion version;
	int			value;
} NumberVersion;

static SubxactVersions number;

static void
set_number(int value)
{
	NumberVersion *version = pgt_subxact_version_for(&number, &stack, NULL, current, sizeof(NumberVersion));

	version->value = value;
}

/* The value, -1 where there is no version. */
static int
get_number(void)
{
	return number.top == NULL ? -1 : ((NumberVersion *) number.top)->value;
}

/* End a subtransaction in which only the number has changed. */
static void
end_version(bool commit)
{
	SubTransactionId parent = enclosing[--nesting];

	if (commit)
		pgt_subxact_stack_release(&stack, current, parent, pgt_subxact_version_inherit);
	else
		pgt_subxact_stack_undo(&stack, current, pgt_subxact_version_undo);
	current = parent;
}

static void
test_versions(void)
{
	NumberVersion *version;

	begin();
	set_number(1);
	end_version(false);
	ok(get_number() == -1, "without a version of the transaction a rollback leaves none");

	set_number(1);
	begin();
	version = pgt_subxact_version_for(&number, &stack, NULL, current, sizeof(NumberVersion));
	ok(version->value == 1, "a new version is what the one below is");
	set_number(2);
	begin();
	set_number(3);
	set_number(4);
	end_version(true);
	ok(get_number() == 4, "a release keeps the version that replaces the parent's");
	begin();
	set_number(5);
	end_version(false);
	ok(get_number() == 4, "a rollback drops one version");
	end_version(false);
	ok(get_number() == 1, "a rollback drops what was inherited");

	begin();
	begin();
	set_number(6);
	end_version(true);
	ok(get_number() == 6 && stack.count == 1, "a parent without a version inherits the child's, and its note");
	end_version(true);
	ok(get_number() == 6 && stack.count == 0, "the transaction inherits it, and needs no note");
	ok(number.top->below == NULL && number.top->subid == TopSubTransactionId, "it has one version");
	/* of 1, 2, 4 and 5 in savepoints, of 1 in the transaction */
	ok(freed == 5, "versions that do not count any more are freed");
	free(number.top);
	forget();
}

int
main(void)
{
	test_nested();
	test_steps();
	test_versions();
	return tap_end();
}
