/*
 * alter_configs.h
 *	  AlterConfigs and IncrementalAlterConfigs: changing the options of topics.
 */
#ifndef ALTER_CONFIGS_H
#define ALTER_CONFIGS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_alter_configs_api;
extern const BrokerApi pgt_alter_configs_incremental_api;
extern const HelperApi pgt_alter_configs_helper;
extern const HelperApi pgt_alter_configs_incremental_helper;

#endif							/* ALTER_CONFIGS_H */
