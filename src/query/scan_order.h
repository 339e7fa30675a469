/*
 * scan_order.h
 *	  The order in which a scan of a topic gives records.
 */
#ifndef SCAN_ORDER_H
#define SCAN_ORDER_H

typedef enum ScanOrder
{
	SCAN_BY_PARTITION,			/* one partition after another, each by offset */
	SCAN_BY_OFFSET,				/* of all partitions, then by partition */
	SCAN_BY_OFFSET_BACKWARD		/* the largest offset first, then by partition */
} ScanOrder;

#endif							/* SCAN_ORDER_H */
