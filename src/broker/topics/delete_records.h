/*
 * delete_records.h
 *	  DeleteRecords: removing the records of partitions before an offset.
 */
#ifndef DELETE_RECORDS_H
#define DELETE_RECORDS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_delete_records_api;
extern const HelperApi pgt_delete_records_helper;

#endif							/* DELETE_RECORDS_H */
