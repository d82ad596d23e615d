/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000_nvm.c: the EEPROM of a simulated 82540EM, a 93C46 behind four
 * pins (EECD), and the part's own way to read it (EERD).
 *
 * See sim_e1000.h for what "SDM" is; "93C46" is any maker's data sheet of that
 * microwire EEPROM: 64 words of 16 bits, and commands of nine bits, a start
 * bit, two of operation, six of address.
 */

#include <string.h>

#include "sim_e1000.h"

#define CHECKSUM 0xbaba /* of all words: SDM 5.6.35 */

/*
 * A new card's: SDM 5.6.  What is not given there for the 82540EM is ones, as
 * an erased EEPROM is.
 */
void e1000_nvm_fill(struct e1000 *e)
{
	const uint8_t *mac = e->conf.mac;
	uint16_t sum = 0;

	memset(e->eeprom, 0xff, sizeof(e->eeprom));
	for (unsigned int i = 0; i < 3; i++)
		e->eeprom[i] = e1000_le16(mac + 2 * i);
	e->eeprom[0x03] = 0x0000; /* compatibility */
	e->eeprom[0x0a] = 0x640b; /* initialization control 1: signature 01b */
	e->eeprom[0x0b] = 0x001e; /* subsystem, */
	e->eeprom[0x0c] = 0x8086; /* its vendor, */
	e->eeprom[0x0d] = 0x100e; /* device */
	e->eeprom[0x0e] = 0x8086; /* and vendor */
	e->eeprom[0x0f] = 0x3040; /* initialization control 2 */
	e->eeprom[0x21] = 0x7863; /* software defined pins */
	e->eeprom[0x24] = 0x0000; /* initialization control 3 */
	e->eeprom[0x2f] = 0x0602; /* LEDs */
	for (unsigned int i = 0; i < E1000_EEPROM_WORDS - 1; i++)
		sum = (uint16_t)(sum + e->eeprom[i]);
	e->eeprom[E1000_EEPROM_WORDS - 1] = (uint16_t)(CHECKSUM - sum);
}

/* The station's address goes to the first filter: SDM 5.6.1, 13.5.2. */
void e1000_nvm_load(struct e1000 *e)
{
	e1000_set(e, R_RAL, e->eeprom[0] | (uint32_t)e->eeprom[1] << 16);
	e1000_set(e, R_RAH, e->eeprom[2] | (uint32_t)RAH_AV);
}

/* Done at once: SDM 13.4.4.  Beyond the last word there is none. */
void e1000_eerd_write(struct e1000 *e, uint32_t value)
{
	unsigned int word = value >> 8 & 0xff;

	value &= 0xff00;
	if (word < E1000_EEPROM_WORDS)
		value |= (uint32_t)e->eeprom[word] << 16;
	e1000_set(e, R_EERD, value | EERD_DONE);
}

/*
 * The 93C46.
 */

/* The address is the low six bits; in EWEN and its like, its upper two say. */
static void microwire_command(struct e1000 *e)
{
	struct e1000_microwire *wire = &e->wire;
	unsigned int op = wire->in >> 6 & 3, addr = wire->in & 63;

	if (op == 2) { /* READ: a zero bit first */
		wire->reading = true;
		wire->next = addr;
		wire->out = 0;
		wire->n_out = 1;
	} else if (op == 3 && wire->writable) { /* ERASE */
		e->eeprom[addr] = 0xffff;
	} else if (op == 0 && addr >> 4 == 3) { /* EWEN */
		wire->writable = true;
	} else if (op == 0 && addr >> 4 == 0) { /* EWDS */
		wire->writable = false;
	} else if (op == 0 && addr >> 4 == 2 && wire->writable) { /* ERAL */
		memset(e->eeprom, 0xff, sizeof(e->eeprom));
	}
}

/* The data of a command that has some is in: 9 bits and 16. */
static void microwire_data(struct e1000 *e)
{
	struct e1000_microwire *wire = &e->wire;
	unsigned int op = wire->in >> 22 & 3, addr = wire->in >> 16 & 63;
	uint16_t data = (uint16_t)wire->in;

	if (!wire->writable)
		return;
	if (op == 1) { /* WRITE */
		e->eeprom[addr] = data;
	} else if (op == 0 && addr >> 4 == 1) { /* WRAL */
		for (unsigned int i = 0; i < E1000_EEPROM_WORDS; i++)
			e->eeprom[i] = data;
	}
}

/* The next bit, and the next word behind the last: a sequential read. */
static void microwire_out(struct e1000 *e)
{
	struct e1000_microwire *wire = &e->wire;

	if (!wire->n_out) {
		wire->out = e->eeprom[wire->next];
		wire->n_out = 16;
		wire->next = (wire->next + 1) % E1000_EEPROM_WORDS;
	}
	wire->level = wire->out >> --wire->n_out & 1;
}

/* SK rises with CS high. */
static void microwire_clock(struct e1000 *e, bool di)
{
	struct e1000_microwire *wire = &e->wire;

	if (wire->reading) {
		microwire_out(e);
		return;
	}
	if (!wire->n_in && !di)
		return; /* no start bit yet */
	if (wire->n_in == 25)
		return;
	wire->in = wire->in << 1 | di;
	wire->n_in++;
	if (wire->n_in == 9)
		microwire_command(e);
	else if (wire->n_in == 25)
		microwire_data(e);
	if (wire->reading)
		microwire_out(e); /* the zero, with the last address bit */
}

/*
 * CS falls: the command is over.  When it rises again, DO tells that the
 * EEPROM is ready, and it is.
 */
static void microwire_select(struct e1000 *e)
{
	bool writable = e->wire.writable;

	memset(&e->wire, 0, sizeof(e->wire));
	e->wire.writable = writable;
	e->wire.level = true;
}

/*
 * EECD: SDM 13.4.3.
 */

uint32_t e1000_eecd_read(const struct e1000 *e)
{
	uint32_t value = e1000_get(e, R_EECD) | EECD_PRES;

	if (value & EECD_REQ)
		value |= EECD_GNT;
	if (e->wire.level || !(value & EECD_CS))
		value |= EECD_DO; /* pulled up */
	return value;
}

/* Its pins are the software's while it has the grant: SDM 5.3.1. */
void e1000_eecd_write(struct e1000 *e, uint32_t value)
{
	uint32_t was = e1000_get(e, R_EECD);
	uint32_t kept = EECD_FWE | EECD_REQ;

	if (value & EECD_REQ)
		kept |= EECD_SK | EECD_CS | EECD_DI;
	value &= kept;
	e1000_set(e, R_EECD, value);
	if ((value ^ was) & EECD_CS)
		microwire_select(e);
	if (value & EECD_CS && value & ~was & EECD_SK)
		microwire_clock(e, value & EECD_DI);
}
