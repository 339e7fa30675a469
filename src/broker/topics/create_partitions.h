/*
 * create_partitions.h
 *	  CreatePartitions: more partitions for topics.
 */
#ifndef CREATE_PARTITIONS_H
#define CREATE_PARTITIONS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_create_partitions_api;
extern const HelperApi pgt_create_partitions_helper;

#endif							/* CREATE_PARTITIONS_H */
