/* SPDX-License-Identifier: MIT */
/*
 * offend.c: a guest that does one thing which its monitor must refuse, and
 * says what became of it: for the policies, and for the reports.
 *
 * It is built with unwind tables, so that a report can name its functions.
 * Options:
 *   nic=e1000   a descriptor whose buffer is not memory (default)
 *   nic=ne2k    a frame that lies beyond the card's memory
 *   late        e1000: a receive buffer that is moved out of memory after it
 *               was posted; the monitor sees it when a frame comes
 *   mce         take machine checks (CR4.MCE)
 *   mce=again   and do it once more in the handler
 */

#include "e1000.h"
#include "ne2k.h"

#define NOINLINE __attribute__((noinline))
#define OUTSIDE 0x7ff0000000ull /* of any memory that a test gives us */
#define LENGTH 64
#define WAIT_MS 3000

#define VECTOR_MC 18
#define MSR_MCG_STATUS 0x17a
#define MSR_MC0_STATUS 0x401
#define MCG_BANKS 10
#define STATUS_VALID (1ull << 63)
#define STATUS_HAS_ADDR (1ull << 58)

extern char offend_mc_entry[];
void offend_mc(const uint64_t *frame);

/* No IRET: this is the end. */
__asm__(".text\n"
	"offend_mc_entry:\n"
	"	movq %rsp, %rdi\n"
	"	andq $-16, %rsp\n"
	"	call offend_mc\n"
	"	ud2\n");

static volatile struct e1000_tx tx[8] __attribute__((aligned(128)));
static volatile struct e1000_rx rx[8] __attribute__((aligned(128)));
static uint8_t buffer[2048] __attribute__((aligned(2048)));
static uint32_t base; /* of an e1000 */
static uint16_t io;   /* of an NE2000 */

static uint64_t read_msr(uint32_t index)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
	return low | (uint64_t)high << 32;
}

/* ---- the offences ---- */

NOINLINE static void ring_doorbell(void)
{
	if (base)
		e1000_write(base, E1000_TDT, 1);
	else
		ne2k_write(io, NE2K_CR, CR_STA | CR_TXP);
	__asm__ volatile("" : : : "memory"); /* so it is no tail call */
}

NOINLINE static void send_evil(void)
{
	if (base) {
		tx[0].low = OUTSIDE;
		tx[0].high = LENGTH | TX_EOP | TX_IFCS | TX_RS;
	} else {
		ne2k_write(io, NE2K_TPSR, 0xbf);
		ne2k_write(io, NE2K_TBCR0, 0x00);
		ne2k_write(io, NE2K_TBCR1, 0x04);
	}
	ring_doorbell();
	__asm__ volatile("" : : : "memory");
}

/* The handler must not run into its own frames: no frame is ours to keep. */
void offend_mc(const uint64_t *frame)
{
	uint64_t status;
	uint32_t i;

	say("mce: at rip 0x%lx, mcg 0x%lx\n", frame[0],
	    read_msr(MSR_MCG_STATUS));
	for (i = 0; i < MCG_BANKS; i++) {
		status = read_msr(MSR_MC0_STATUS + 4 * i);
		if (status & STATUS_VALID)
			say("mce: bank %u status 0x%lx addr 0x%lx\n", i, status,
			    status & STATUS_HAS_ADDR ?
				    read_msr(MSR_MC0_STATUS + 4 * i + 1) :
				    0);
	}
	if (option_is("mce", "again")) {
		e1000_write(base, E1000_TDT, 0);
		tx[1] = tx[0];
		e1000_write(base, E1000_TDT, 2);
		delay_us(100000);
		fail("it went on in a second machine check");
	}
	succeed();
}

/* ---- what becomes of them ---- */

static void start_e1000(void)
{
	e1000_write(base, E1000_TDBAL, (uint32_t)(uintptr_t)tx);
	e1000_write(base, E1000_TDBAH, 0);
	e1000_write(base, E1000_TDLEN, sizeof(tx));
	e1000_write(base, E1000_TDH, 0);
	e1000_write(base, E1000_TDT, 0);
	e1000_write(base, E1000_TCTL, TCTL_EN | TCTL_PSP | TCTL_CT | TCTL_COLD);
}

static void tell_e1000(void)
{
	uint64_t end = now_ms() + WAIT_MS;

	while (!(tx[0].high & TX_DD) && now_ms() < end)
		pause();
	say("offend: done %u, error %u\n", (uint32_t)(tx[0].high >> 32 & 1),
	    (uint32_t)(tx[0].high >> 33 & 1));
}

static void tell_ne2k(void)
{
	uint8_t isr = ne2k_wait(io, ISR_PTX | ISR_TXE, WAIT_MS);

	say("offend: done %u, error %u\n", isr & ISR_PTX ? 1 : 0,
	    isr & ISR_TXE ? 1 : 0);
}

/* The descriptors are checked when they are posted, so they change later. */
static void be_late(void)
{
	uint64_t end = now_ms() + WAIT_MS;
	uint32_t i;

	for (i = 0; i < ARRAY_LEN(rx); i++)
		rx[i].addr = (uintptr_t)buffer;
	e1000_write(base, E1000_RDBAL, (uint32_t)(uintptr_t)rx);
	e1000_write(base, E1000_RDBAH, 0);
	e1000_write(base, E1000_RDLEN, sizeof(rx));
	e1000_write(base, E1000_RDH, 0);
	e1000_write(base, E1000_RDT, 7);
	e1000_write(base, E1000_RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
	rx[0].addr = OUTSIDE; /* one: a machine check may be on its way */
	say("offend: waiting for a frame\n");
	while (!(rx[0].status & RX_DD) && now_ms() < end)
		pause();
	say("offend: done %u, length %u\n", rx[0].status & RX_DD, rx[0].len);
}

static void take_machine_checks(void)
{
	uint64_t cr4;

	trap_gate(VECTOR_MC, offend_mc_entry);
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | 1u << 6));
}

void guest_main(void)
{
	uint8_t irq;

	guest_start();
	if (option("mce"))
		take_machine_checks();
	if (option_is("nic", "ne2k"))
		io = ne2k_find(&irq);
	else
		base = e1000_find(&irq);
	if (!io && !base)
		fail("no NIC found");
	if (io)
		ne2k_write(io, NE2K_CR, CR_STA | CR_ABORT);
	else
		start_e1000();
	if (option("late")) {
		be_late();
		succeed();
	}
	say("offend: now\n");
	send_evil();
	if (io)
		tell_ne2k();
	else
		tell_e1000();
	succeed();
}
