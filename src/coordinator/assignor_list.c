/*
 * assignor_list.c
 *	  Which assignors there are.
 */
#include "postgres.h"

#include "coordinator/assignor_list.h"
#include "coordinator/assignor_range.h"
#include "coordinator/assignor_uniform.h"

const Assignor *const pgt_assignor_list[] = {
	&pgt_assignor_uniform,
	&pgt_assignor_range,
	NULL
};

const Assignor *
pgt_assignor_list_find(KafkaString name)
{
	for (int i = 0; pgt_assignor_list[i] != NULL; i++)
	{
		const char *known = pgt_assignor_list[i]->name;

		if (name.length == (int32) strlen(known) && memcmp(name.data, known, name.length) == 0)
			return pgt_assignor_list[i];
	}
	return NULL;
}
