/* SPDX-License-Identifier: MIT */
/*
 * e1000_eeprom.c: read the 82540EM's EEPROM by both ways of SDM 5.3.1.
 *
 * The part is a Microwire EEPROM: three bits of command (110: read), the
 * address, then 16 bits of data; one edge of its clock at least each 1 us.
 */

#include "e1000.h"

#define TIMEOUT_MS 100
#define READ_COMMAND 6u

static bool read_word(uint32_t base, uint32_t index, uint16_t *word)
{
	uint64_t end = now_ms() + TIMEOUT_MS;
	uint32_t v;

	e1000_write(base, E1000_EERD, index << EERD_ADDR_SHIFT | EERD_START);
	do {
		v = e1000_read(base, E1000_EERD);
		if (v & EERD_DONE) {
			*word = (uint16_t)(v >> EERD_DATA_SHIFT);
			return true;
		}
		pause();
	} while (now_ms() < end);
	return false;
}

/* One cycle of the clock with (out) on DI; returns DO, which changes on the
 * rising edge. */
static bool clock_bit(uint32_t base, uint32_t eecd, bool out)
{
	bool in;

	eecd |= out ? EECD_DI : 0;
	e1000_write(base, E1000_EECD, eecd);
	delay_us(1);
	e1000_write(base, E1000_EECD, eecd | EECD_SK);
	delay_us(1);
	in = e1000_read(base, E1000_EECD) & EECD_DO;
	e1000_write(base, E1000_EECD, eecd);
	delay_us(1);
	return in;
}

static uint16_t clock_word(uint32_t base, uint32_t eecd, uint32_t index)
{
	int address_bits = eecd & EECD_SIZE ? 8 : 6;
	uint32_t out = READ_COMMAND << address_bits | index;
	uint16_t word = 0;
	int i;

	eecd &= ~(EECD_SK | EECD_DI | EECD_CS);
	e1000_write(base, E1000_EECD, eecd | EECD_CS);
	delay_us(1);
	for (i = 3 + address_bits - 1; i >= 0; i--)
		clock_bit(base, eecd | EECD_CS, out >> i & 1);
	for (i = 0; i < 16; i++)
		word = (uint16_t)(word << 1 |
				  clock_bit(base, eecd | EECD_CS, false));
	e1000_write(base, E1000_EECD, eecd);
	delay_us(1);
	return word;
}

/* The controller reads the EEPROM, too, so ask for it first. */
static bool take_wires(uint32_t base, uint32_t *eecd)
{
	uint64_t end = now_ms() + TIMEOUT_MS;

	*eecd = e1000_read(base, E1000_EECD) | EECD_REQ;
	e1000_write(base, E1000_EECD, *eecd);
	do {
		if (e1000_read(base, E1000_EECD) & EECD_GNT)
			return true;
		pause();
	} while (now_ms() < end);
	return false;
}

bool e1000_mac(uint32_t base, bool by_wires, uint8_t *mac)
{
	uint32_t eecd = 0;
	bool ok = true;
	uint16_t word;
	uint32_t i;

	if (by_wires && !take_wires(base, &eecd)) {
		say("e1000: EECD grants nothing\n");
		return false;
	}
	for (i = 0; i < 3 && ok; i++) {
		if (by_wires)
			word = clock_word(base, eecd, i);
		else
			ok = read_word(base, i, &word);
		if (!ok)
			break;
		mac[2 * i] = (uint8_t)word;
		mac[2 * i + 1] = (uint8_t)(word >> 8);
	}
	if (by_wires)
		e1000_write(base, E1000_EECD, eecd & ~EECD_REQ);
	if (!ok)
		say("e1000: EERD is never done\n");
	return ok;
}
