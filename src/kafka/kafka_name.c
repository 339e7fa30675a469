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
