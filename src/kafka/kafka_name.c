/*
 * kafka_name.c
 *	  Kafka's rules for names.
 *
 * All legal names are ASCII, whatever the locale is.
 */
#include "c.h"

#include "kafka/kafka_name.h"

static bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_dots(KafkaString name)
{
	return (name.length == 1 && name.data[0] == '.') || (name.length == 2 && memcmp(name.data, "..", 2) == 0);
}

const char *
pgt_kafka_name_topic_problem(KafkaString name)
{
	if (name.length <= 0)
		return "topic name is empty";
	if (is_dots(name))
		return "topic name cannot be \".\" or \"..\"";
	if (name.length > KAFKA_NAME_MAX_TOPIC)
		return "topic name is longer than 249 characters";
	for (int32 i = 0; i < name.length; i++)
	{
		char		c = name.data[i];

		if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-')
			return "topic name has a character other than ASCII letters and digits, \".\", \"_\" and \"-\"";
	}
	return NULL;
}

bool
pgt_kafka_name_topics_collide(KafkaString a, KafkaString b)
{
	if (a.length != b.length)
		return false;
	for (int32 i = 0; i < a.length; i++)
	{
		char		c = a.data[i] == '.' ? '_' : a.data[i];
		char		d = b.data[i] == '.' ? '_' : b.data[i];

		if (c != d)
			return false;
	}
	return true;
}

bool
pgt_kafka_name_is_software(KafkaString name)
{
	if (name.length <= 0 || !is_alphanumeric(name.data[0]) || !is_alphanumeric(name.data[name.length - 1]))
		return false;
	for (int32 i = 0; i < name.length; i++)
	{
		char		c = name.data[i];

		if (!is_alphanumeric(c) && c != '.' && c != '-')
			return false;
	}
	return true;
}

/* ---- share partitions -------------------------------------------------------- */

/* Cut off what is behind the last colon.  False if there is none. */
static bool
cut_last(KafkaString *name, KafkaString *last)
{
	int32		colon = name->length - 1;

	while (colon >= 0 && name->data[colon] != ':')
		colon--;
	if (colon < 0)
		return false;
	*last = (KafkaString) {name->data + colon + 1, name->length - colon - 1};
	name->length = colon;
	return true;
}

/* A number of 32 bits, as Java reads them. */
static bool
is_int32(KafkaString text)
{
	bool		signed_one = text.length > 0 && (text.data[0] == '-' || text.data[0] == '+');
	bool		negative = signed_one && text.data[0] == '-';
	int64		value = 0;

	if (text.length <= signed_one)
		return false;
	for (int32 i = signed_one; i < text.length; i++)
	{
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (text.data[i] - '0');
		if (value > (int64) PG_INT32_MAX + negative)
			return false;
	}
	return true;
}

/* 16 bytes in base64 as URLs have it, with or without its padding. */
static bool
is_uuid(KafkaString text)
{
	if (text.length == 24 && memcmp(text.data + 22, "==", 2) == 0)
		text.length = 22;
	if (text.length != 22)
		return false;
	for (int32 i = 0; i < text.length; i++)
		if (!is_alphanumeric(text.data[i]) && text.data[i] != '-' && text.data[i] != '_')
			return false;
	return true;
}

/* Has it nothing but blanks and control characters, which Kafka trims? */
static bool
is_blank(KafkaString text)
{
	for (int32 i = 0; i < text.length; i++)
		if ((unsigned char) text.data[i] > ' ')
			return false;
	return true;
}

bool
pgt_kafka_name_is_share_partition(KafkaString name)
{
	KafkaString id;
	KafkaString partition;

	/* Java's split() drops empty pieces at the end */
	while (name.length > 0 && name.data[name.length - 1] == ':')
		name.length--;
	return cut_last(&name, &partition) && cut_last(&name, &id) && !is_blank(name) && is_uuid(id) && is_int32(partition);
}
