/*
 * log_dirs.h
 *	  DescribeLogDirs and AlterReplicaLogDirs: the directory of logs.
 */
#ifndef LOG_DIRS_H
#define LOG_DIRS_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_log_dirs_describe_api;
extern const BrokerApi pgt_log_dirs_alter_api;

#endif							/* LOG_DIRS_H */
