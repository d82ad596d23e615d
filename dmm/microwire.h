/* SPDX-License-Identifier: MIT */
/*
 * microwire.h: the serial EEPROM of the 93C46 family behind its four pins, as
 * a driver sees it that moves them one by one.
 *
 * CS selects it, DI is sampled and DO changes when SK rises.  An instruction
 * is, while CS stays high, any number of 0 bits, a 1, two bits of opcode and
 * the address, most significant bit first (data sheet DS20001749, 2.1 and
 * table 2-1 to 2-3).  It is read only: what would change it is taken off the
 * wire in full and then has no effect.
 *
 * The words are the caller's and are passed with each call; what is here is
 * plain data that may be copied, saved and put back.  All zeros is the state
 * after a reset, and no value of it can do harm.
 *
 * Errors:  none; bits that make no instruction are ignored, as the part does.
 * Threads: nothing is shared.
 */

#ifndef DMM_MICROWIRE_H
#define DMM_MICROWIRE_H

#include "cc.h"

#define MICROWIRE_ADDRESS_BITS 6u /* of 64 words; 8 in larger parts */
#define MICROWIRE_ADDRESS_BITS_MAX 16u

struct microwire {
	bool cs, sk;	  /* the pins, as they were last */
	bool low;	  /* DO is driven low; or else it is high or floats */
	uint8_t state;	  /* enum microwire_state, in microwire.c */
	uint8_t left;	  /* bits of this state still to come */
	uint16_t address; /* of the word that is read */
	uint32_t bits;	  /* read so far, or being shifted out */
};

/* Power up, with all pins low. */
void microwire_reset(struct microwire *m);

/*
 * Set the pins, and return DO.  A pin that floats reads as true: pulled up.
 *
 * (words) has (words_n) words of 16 bits; others, up to the 2^(address_bits)
 * that can be addressed, read as erased: 0xffff.  (address_bits) is 2 to
 * MICROWIRE_ADDRESS_BITS_MAX, and the same until the next reset.  Reading on
 * behind the last address goes on at the first.
 *
 * (*write_tried) becomes true when this was the last bit of an instruction
 * that programs or erases, whether or not writing was enabled, and is left
 * alone if not.  A cycle of programming takes no time: DO says ready.
 */
bool microwire_pins(struct microwire *m, bool cs, bool sk, bool di,
		    const uint16_t *words, unsigned int words_n,
		    unsigned int address_bits, bool *write_tried);

#endif /* DMM_MICROWIRE_H */
