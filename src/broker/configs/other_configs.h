/*
 * other_configs.h
 *	  Configurations of what Kafka lets be configured and this server does not: subscriptions to clients' metrics.
 */
#ifndef OTHER_CONFIGS_H
#define OTHER_CONFIGS_H

#include "broker/configs/config_entry.h"

/* Of a subscription to clients' metrics: a List of ConfigEntry. */
extern List *pgt_other_configs_metrics(void);

#endif							/* OTHER_CONFIGS_H */
