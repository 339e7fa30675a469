/*
 * offset_delete.h
 *	  The API OffsetDelete.
 */
#ifndef OFFSET_DELETE_H
#define OFFSET_DELETE_H

#include "broker/core/broker.h"

extern const BrokerApi pgt_offset_delete_api;

#endif							/* OFFSET_DELETE_H */
