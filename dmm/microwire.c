/* SPDX-License-Identifier: MIT */
/*
 * microwire.c: a serial EEPROM, an instruction at a time, a bit at a time.
 *
 * Sections in comments are those of data sheet DS20001749, as in microwire.h.
 *
 *	1  o o  a ... a  [d ... d]	sent on DI, most significant bit first
 *
 *	oo  address	instruction	then
 *	10  word	READ		a 0 on DO, then words for ever
 *	01  word	WRITE		16 bits of data
 *	11  word	ERASE
 *	00  11x...	EWEN
 *	00  10x...	ERAL
 *	00  01x...	WRAL		16 bits of data
 *	00  00x...	EWDS
 */

#include <assert.h>
#include <string.h>

#include "microwire.h"

enum microwire_state {
	WAITING, /* for the 1 that starts an instruction: 2.1 */
	COMMAND, /* opcode and address come in */
	DATA,	 /* data to be written come in */
	READING, /* words go out: 2.7 */
	DONE,	 /* until CS falls nothing counts: 3.2 */
};

enum opcode { OP_OTHER, OP_WRITE, OP_READ, OP_ERASE };
enum other { OTHER_EWDS, OTHER_WRAL, OTHER_ERAL, OTHER_EWEN };

#define OPCODE_BITS 2u
#define WORD_BITS 16u
#define ERASED 0xffff

void microwire_reset(struct microwire *m)
{
	memset(m, 0, sizeof(*m));
}

/* All bits of an instruction are there: see what it wants. */
static void decode(struct microwire *m, unsigned int address_bits,
		   bool *write_tried)
{
	unsigned int other = m->bits >> (address_bits - 2) & 3;
	bool erases = false, writes = false;

	assert(address_bits >= 2 && address_bits <= MICROWIRE_ADDRESS_BITS_MAX);
	m->state = DONE;
	switch ((enum opcode)(m->bits >> address_bits & 3)) {
	case OP_READ:
		m->state = READING;
		m->address = (uint16_t)(m->bits & cc_ones(address_bits));
		m->left = 0;
		m->low = true; /* the dummy bit, on the clock of A0: 2.7 */
		break;
	case OP_WRITE:
		writes = true;
		break;
	case OP_ERASE:
		erases = true;
		break;
	case OP_OTHER:
		writes = other == OTHER_WRAL;
		erases = other == OTHER_ERAL;
		break;
	}
	if (writes) {
		m->state = DATA;
		m->left = WORD_BITS;
	}
	if (erases)
		*write_tried = true;
}

/* The next bit of the word, or the first of the next word: 2.7. */
static void shift_out(struct microwire *m, const uint16_t *words,
		      unsigned int words_n, unsigned int address_bits)
{
	if (m->left == 0 || m->left > WORD_BITS) {
		m->bits = m->address < words_n ? words[m->address] : ERASED;
		m->address =
			(uint16_t)((m->address + 1) & cc_ones(address_bits));
		m->left = WORD_BITS;
	}
	m->left--;
	m->low = !(m->bits >> m->left & 1);
}

/* SK rose with CS high. */
static void clock(struct microwire *m, bool di, const uint16_t *words,
		  unsigned int words_n, unsigned int address_bits,
		  bool *write_tried)
{
	switch ((enum microwire_state)m->state) {
	case WAITING:
		if (!di)
			break;
		m->state = COMMAND;
		m->bits = 0;
		m->left = (uint8_t)(OPCODE_BITS + address_bits);
		break;
	case COMMAND:
		m->bits = m->bits << 1 | di;
		if (m->left-- <= 1)
			decode(m, address_bits, write_tried);
		break;
	case DATA:
		/* A part of this kind starts on the last bit's clock: 2.8. */
		if (m->left-- > 1)
			break;
		m->state = DONE;
		*write_tried = true;
		break;
	case READING:
		shift_out(m, words, words_n, address_bits);
		break;
	case DONE:
		break;
	}
}

/*
 * DO floats but while a word is read, and after programming, when it is low
 * for busy and high for ready: 3.4.  Here nothing takes time, so whoever
 * raises CS to ask sees a high level, as he would if it floated: one value
 * serves for both.
 *
 * Deselected, the part is held in reset (3.1).  An edge of SK that comes with
 * CS's does not count: CS must be set up before it (table 1-2, T_CSS).
 */
bool microwire_pins(struct microwire *m, bool cs, bool sk, bool di,
		    const uint16_t *words, unsigned int words_n,
		    unsigned int address_bits, bool *write_tried)
{
	bool rose = cs && m->cs && sk && !m->sk;

	m->cs = cs;
	m->sk = sk;
	if (rose) {
		clock(m, di, words, words_n, address_bits, write_tried);
	} else if (!cs) {
		m->state = WAITING;
		m->low = false;
	}
	return !m->low;
}
