/*
 * assignor_test.c
 *	  Tests of the assignors without a server: what Kafka's own assignors have made of random groups must
 *	  be what ours make of them; and what they promise must hold.
 *
 *		assignor_test VECTORS
 *
 * "make unit" builds and runs it with test/kafka/assignors.zst, whose lines
 * test/kafka/java/AssignorVectors.java describes.  Output is TAP, the exit code 1 on a failure.
 */
#include "postgres.h"

#include "assertion.h"
#include "tap.h"
#include "coordinator/assignor_list.h"
#include "format/compression.h"

#define VECTORS_MAX		(16 * 1024 * 1024)
#define COLUMNS			6
#define MOST			512

static void
give_up(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(2);
}

/* ---- a line ------------------------------------------------------------------ */

/* A group of a line, with its numbers in static memory. */
static AssignorGroup group;
static AssignorTopic topics[MOST];
static AssignorMember members[MOST];
static int32 member_topics[MOST][MOST];
static int32 owners[MOST][MOST];
static int32 before[MOST][MOST];
static int32 expected[MOST][MOST];

/* Split a text at a character: the number of parts. */
static int
split(char *text, char at, char **parts, int room)
{
	int			count = 0;

	while (text != NULL && count < room)
	{
		char	   *end = strchr(text, at);

		if (end != NULL)
			*end++ = '\0';
		parts[count++] = text;
		text = end;
	}
	return count;
}

static void
read_owners(char *text, int32 (*into)[MOST])
{
	char	   *parts[MOST];
	char	   *places[MOST];
	int			count = split(text, '/', parts, MOST) - 1;

	if (count != group.topic_count)
		give_up("a line has other topics than owners");
	for (int t = 0; t < count; t++)
	{
		int			n = split(parts[t], ',', places, MOST);

		if (n != topics[t].partitions)
			give_up("a topic has other partitions than owners");
		for (int p = 0; p < n; p++)
			into[t][p] = places[p][0] == '-' ? ASSIGNOR_NOBODY : atoi(places[p]);
	}
}

static void
read_topics(char *text)
{
	char	   *parts[MOST];

	group.topics = topics;
	group.topic_count = split(text, ',', parts, MOST);
	for (int t = 0; t < group.topic_count; t++)
	{
		memset(&topics[t].id, 0, sizeof(topics[t].id));
		topics[t].id.bytes[15] = (uint8) (t + 1);
		topics[t].partitions = atoi(parts[t]);
		topics[t].owner = owners[t];
	}
}

static void
read_members(char *text)
{
	char	   *parts[MOST];
	char	   *fields[3];
	char	   *places[MOST];

	group.members = members;
	group.member_count = split(text, ';', parts, MOST);
	for (int m = 0; m < group.member_count; m++)
	{
		if (split(parts[m], '=', fields, 3) != 3)
			give_up("a member has not three fields");
		members[m].id = fields[0];
		members[m].instance_id = fields[1][0] == '\0' ? NULL : fields[1];
		members[m].topics = member_topics[m];
		members[m].topic_count = fields[2][0] == '\0' ? 0 : split(fields[2], ',', places, MOST);
		for (int i = 0; i < members[m].topic_count; i++)
			member_topics[m][i] = atoi(places[i]);
	}
}

/* The assignors want topics only that somebody is subscribed to: take the others out. */
static void
drop_unsubscribed(void)
{
	AssignorSubscribers all = pgt_assignor_subscribers(&group);
	int32		place[MOST];
	int			kept = 0;

	for (int t = 0; t < group.topic_count; t++)
	{
		place[t] = kept;
		if (all.begin[t] == all.begin[t + 1])
			continue;
		topics[kept] = topics[t];
		memmove(before[kept], before[t], sizeof(before[t]));
		memmove(expected[kept], expected[t], sizeof(expected[t]));
		topics[kept].owner = owners[kept];
		kept++;
	}
	group.topic_count = kept;
	for (int m = 0; m < group.member_count; m++)
		for (int i = 0; i < members[m].topic_count; i++)
			member_topics[m][i] = place[member_topics[m][i]];
}

static const Assignor *
read_line(char *line)
{
	char	   *columns[COLUMNS];
	KafkaString name;

	if (split(line, '\t', columns, COLUMNS) != COLUMNS)
		give_up("a line has not six columns");
	group.alike = columns[1][0] == '1';
	read_topics(columns[2]);
	read_members(columns[3]);
	read_owners(columns[4], before);
	read_owners(columns[5], expected);
	drop_unsubscribed();
	name.data = columns[0];
	name.length = (int32) strlen(columns[0]);
	return pgt_assignor_list_find(name);
}

/* ---- what must hold -------------------------------------------------------------- */

static bool
is_subscribed(int member, int topic)
{
	for (int i = 0; i < members[member].topic_count; i++)
		if (member_topics[member][i] == topic)
			return true;
	return false;
}

/* Has each partition a member, that is subscribed to its topic? */
static bool
is_complete(void)
{
	for (int t = 0; t < group.topic_count; t++)
		for (int p = 0; p < topics[t].partitions; p++)
			if (owners[t][p] < 0 || owners[t][p] >= group.member_count || !is_subscribed(owners[t][p], t))
				return false;
	return true;
}

/* Would it be more equal if a partition moved from one member to another? */
static bool
is_balanced(void)
{
	int			load[MOST] = {0};

	for (int t = 0; t < group.topic_count; t++)
		for (int p = 0; p < topics[t].partitions; p++)
			load[owners[t][p]]++;
	for (int t = 0; t < group.topic_count; t++)
		for (int p = 0; p < topics[t].partitions; p++)
			for (int m = 0; m < group.member_count; m++)
				if (is_subscribed(m, t) && load[owners[t][p]] > load[m] + 1)
					return false;
	return true;
}

/* How many partitions have moved from a member that could have kept them? */
static int
count_moves(void)
{
	int			moves = 0;

	for (int t = 0; t < group.topic_count; t++)
		for (int p = 0; p < topics[t].partitions; p++)
			moves += before[t][p] != ASSIGNOR_NOBODY && before[t][p] != owners[t][p] && is_subscribed(before[t][p], t);
	return moves;
}

static bool
is_expected(void)
{
	for (int t = 0; t < group.topic_count; t++)
		if (memcmp(owners[t], expected[t], topics[t].partitions * sizeof(int32)) != 0)
			return false;
	return true;
}

static void
set_owners(void)
{
	for (int t = 0; t < group.topic_count; t++)
		memcpy(owners[t], before[t], topics[t].partitions * sizeof(int32));
}

/* ---- all lines ------------------------------------------------------------------------ */

static char *
read_vectors(const char *path)
{
	FILE	   *file = fopen(path, "rb");
	char	   *packed = malloc(VECTORS_MAX);
	char	   *text = malloc(VECTORS_MAX);
	size_t		packed_length;
	size_t		length;

	if (file == NULL || packed == NULL || text == NULL)
		give_up("could not read the vectors");
	packed_length = fread(packed, 1, VECTORS_MAX, file);
	fclose(file);
	if (pgt_decompress(COMPRESSION_ZSTD, packed, packed_length, text, VECTORS_MAX - 1, &length) != NULL)
		give_up("could not decompress the vectors");
	text[length] = '\0';
	free(packed);
	return text;
}

typedef struct Tally
{
	int			lines;
	int			same;
	int			complete;
	int			balanced;
	int			settled;
} Tally;

static void
run_line(const Assignor *assignor, Tally *tally)
{
	set_owners();
	assignor->assign(&group);
	tally->lines++;
	tally->same += is_expected();
	tally->complete += is_complete();
	tally->balanced += is_balanced();

	/* what has been assigned is assigned so again */
	for (int t = 0; t < group.topic_count; t++)
		memcpy(before[t], owners[t], topics[t].partitions * sizeof(int32));
	assignor->assign(&group);
	tally->settled += count_moves() == 0;
}

static void
report(const char *name, const Tally *tally, bool balances)
{
	printf("# %s: %d groups\n", name, tally->lines);
	ok(tally->lines > 100, psprintf("there are vectors of %s", name));
	ok(tally->same == tally->lines, psprintf("%s: assignments are those of Kafka", name));
	ok(tally->complete == tally->lines, psprintf("%s: each partition has a member that is subscribed", name));
	if (balances)
		ok(tally->balanced == tally->lines, psprintf("%s: no move would make it more equal", name));
	ok(tally->settled == tally->lines, psprintf("%s: nothing moves where nothing has changed", name));
}

static void
run_vectors(const char *path)
{
	char	   *next = read_vectors(path);
	Tally		alike = {0};
	Tally		mixed = {0};
	Tally		range = {0};

	while (*next != '\0')
	{
		char	   *line = next;
		const Assignor *assignor;

		next = strchr(line, '\n');
		*next++ = '\0';
		assignor = read_line(line);
		if (assignor == NULL)
			give_up("a line has an unknown assignor");
		run_line(assignor, assignor != pgt_assignor_list[0] ? &range : group.alike ? &alike : &mixed);
	}
	report("uniform, the same topics", &alike, true);
	report("uniform, different topics", &mixed, true);
	report("range", &range, false);
}

int
main(int argc, char **argv)
{
	KafkaString unknown = {.data = "sticky", .length = 6};

	if (argc != 2)
		give_up("usage: assignor_test VECTORS");
	ok(pgt_assignor_list_find(unknown) == NULL, "an unknown assignor is not found");
	run_vectors(argv[1]);
	return tap_end();
}
