/*
 * alter_quotas.h
 *	  AlterClientQuotas: rows of the table of quotas.
 */
#ifndef ALTER_QUOTAS_H
#define ALTER_QUOTAS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_alter_quotas_api;
extern const HelperApi pgt_alter_quotas_helper;

#endif							/* ALTER_QUOTAS_H */
