/*
 * other_configs.h
 *	  Configurations of what Kafka lets be configured and this server does not.
 */
#ifndef OTHER_CONFIGS_H
#define OTHER_CONFIGS_H

#include "broker/configs/config_entry.h"

/* Of a consumer group, and of a subscription to clients' metrics: Lists of ConfigEntry. */
extern List *pgt_other_configs_group(void);
extern List *pgt_other_configs_metrics(void);

#endif							/* OTHER_CONFIGS_H */
