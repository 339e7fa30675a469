/*
 * absent_features.h
 *	  APIs of what there is not here, answered as a Kafka answers that does not have it either.
 */
#ifndef ABSENT_FEATURES_H
#define ABSENT_FEATURES_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_absent_features_create_token_api;
extern const BrokerApi pgt_absent_features_renew_token_api;
extern const BrokerApi pgt_absent_features_expire_token_api;
extern const BrokerApi pgt_absent_features_describe_token_api;
extern const BrokerApi pgt_absent_features_update_features_api;
extern const BrokerApi pgt_absent_features_unregister_api;

#endif							/* ABSENT_FEATURES_H */
