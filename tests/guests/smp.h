/* SPDX-License-Identifier: MIT */
/*
 * smp.h: what ap.S and smp.c must agree on.
 */

#ifndef SMP_H
#define SMP_H

#define AP_BASE 0x7000 /* page-aligned, below 1 MiB */

#endif /* SMP_H */
