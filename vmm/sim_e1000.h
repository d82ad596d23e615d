/* SPDX-License-Identifier: MIT */
/*
 * sim_e1000.h: a simulated Intel 82540EM, the gigabit NIC for PCI: its
 * registers by the names of the manual, and its state.
 *
 * "SDM" in comments here and in the sources is Intel's "PCI/PCI-X Family of
 * Gigabit Ethernet Controllers Software Developer's Manual", 317453-006,
 * revision 4.0.
 *
 * Files: sim_e1000.c is the part as others see it, its reset, its interrupt
 * and its bus; _regs.c has the registers, _nvm.c the EEPROM, _phy.c the PHY
 * and the link, _tx.c sends, _offload.c makes segments and checksums, _rx.c
 * receives, _filter.c says which frames and what is known of them.
 */

#ifndef VMM_SIM_E1000_H
#define VMM_SIM_E1000_H

#include "sim.h"

/* Spaces: SDM 4.1, 13.2. */
enum {
	E1000_MEM_BAR = 0,
	E1000_IO_BAR = 1,
	E1000_MEM_SIZE = 0x20000,
	E1000_IO_SIZE = 0x40,
	E1000_IOADDR = 0,	 /* of the I/O space: SDM 13.2.2.1 */
	E1000_IODATA = 4,	 /* SDM 13.2.2.2 */
	E1000_REGS_END = 0xa000, /* nothing from here to PBM */
};

/* Registers: SDM 13.3, table 13-2. */
enum {
	/* general: SDM 13.4.1 to 13.4.16 */
	R_CTRL = 0x0000,
	R_CTRL_DUP = 0x0004,
	R_STATUS = 0x0008,
	R_EECD = 0x0010,
	R_EERD = 0x0014,
	R_CTRL_EXT = 0x0018,
	R_MDIC = 0x0020,
	R_FCAL = 0x0028,
	R_FCAH = 0x002c,
	R_FCT = 0x0030,
	R_VET = 0x0038,
	R_FCTTV = 0x0170,
	R_TXCW = 0x0178,
	R_RXCW = 0x0180,
	R_LEDCTL = 0x0e00,
	R_PBA = 0x1000,
	/* interrupts: SDM 13.4.17 to 13.4.21 */
	R_ICR = 0x00c0,
	R_ITR = 0x00c4,
	R_ICS = 0x00c8,
	R_IMS = 0x00d0,
	R_IMC = 0x00d8,
	/* receive: SDM 13.4.22 to 13.4.32, 13.4.46, 13.4.47 */
	R_RCTL = 0x0100,
	R_FCRTL = 0x2160,
	R_FCRTH = 0x2168,
	R_RDBAL = 0x2800,
	R_RDBAH = 0x2804,
	R_RDLEN = 0x2808,
	R_RDH = 0x2810,
	R_RDT = 0x2818,
	R_RDTR = 0x2820,
	R_RXDCTL = 0x2828,
	R_RADV = 0x282c,
	R_RSRPD = 0x2c00,
	R_RXCSUM = 0x5000,
	/* transmit: SDM 13.4.33 to 13.4.45 */
	R_TCTL = 0x0400,
	R_TIPG = 0x0410,
	R_AIT = 0x0458,
	R_TXDMAC = 0x3000,
	R_TDBAL = 0x3800,
	R_TDBAH = 0x3804,
	R_TDLEN = 0x3808,
	R_TDH = 0x3810,
	R_TDT = 0x3818,
	R_TIDV = 0x3820,
	R_TXDCTL = 0x3828,
	R_TADV = 0x382c,
	R_TSPMT = 0x3830,
	/* filters: SDM 13.5 */
	R_MTA = 0x5200, /* 128 */
	R_RAL = 0x5400, /* 16, each with its RAH */
	R_RAH = 0x5404,
	R_VFTA = 0x5600, /* 128 */
	/* wake-up: SDM 13.6 */
	R_WUC = 0x5800,
	R_WUFC = 0x5808,
	R_WUS = 0x5810,
	R_MANC = 0x5820,
	R_IPAV = 0x5838,
	R_IP4AT = 0x5840,
	R_IP6AT = 0x5880,
	R_WUPL = 0x5900,
	R_WUPM = 0x5a00,
	R_FFLT = 0x5f00,
	R_FFMT = 0x9000,
	R_FFVT = 0x9800,
	/* diagnostics: SDM 13.8 */
	R_RDFH = 0x2410,
	R_RDFT = 0x2418,
	R_RDFHS = 0x2420,
	R_RDFTS = 0x2428,
	R_RDFPC = 0x2430,
	R_TDFH = 0x3410,
	R_TDFT = 0x3418,
	R_TDFHS = 0x3420,
	R_TDFTS = 0x3428,
	R_TDFPC = 0x3430,
	R_PBM = 0x10000,
};

/* Statistics: SDM 13.7. */
enum {
	R_STATS = 0x4000,
	R_CRCERRS = 0x4000,
	R_ALGNERRC = 0x4004,
	R_RXERRC = 0x400c,
	R_MPC = 0x4010,
	R_XONRXC = 0x4048,
	R_XOFFRXC = 0x4050,
	R_FCRUC = 0x4058,
	R_PRC64 = 0x405c, /* and five bins behind it */
	R_GPRC = 0x4074,
	R_BPRC = 0x4078,
	R_MPRC = 0x407c,
	R_GPTC = 0x4080,
	R_GORCL = 0x4088,
	R_GOTCL = 0x4090,
	R_RNBC = 0x40a0,
	R_RUC = 0x40a4,
	R_RFC = 0x40a8,
	R_ROC = 0x40ac,
	R_RJC = 0x40b0,
	R_TORL = 0x40c0,
	R_TOTL = 0x40c8,
	R_TPR = 0x40d0,
	R_TPT = 0x40d4,
	R_PTC64 = 0x40d8, /* and five bins behind it */
	R_MPTC = 0x40f0,
	R_BPTC = 0x40f4,
	R_TSCTC = 0x40f8,
	R_TSCTFC = 0x40fc,
	R_STATS_END = 0x4100,
};

enum {
	CTRL_FD = 1u << 0,
	CTRL_ASDE = 1u << 5,
	CTRL_SLU = 1u << 6,
	CTRL_SPEED = 3u << 8,
	CTRL_FRCSPD = 1u << 11,
	CTRL_FRCDPX = 1u << 12,
	CTRL_RST = 1u << 26,
	CTRL_RFCE = 1u << 27,
	CTRL_TFCE = 1u << 28,
	CTRL_VME = 1u << 30,
	CTRL_PHY_RST = 1u << 31,
	CTRL_RESET_VALUE = 0x00140240, /* SLU, and two pins that are high */

	STATUS_FD = 1u << 0,
	STATUS_LU = 1u << 1,
	STATUS_SPEED_AT = 6,
	STATUS_REST = 0x80080700, /* ASDV and reserved bits as QEMU's */

	EECD_SK = 1u << 0,
	EECD_CS = 1u << 1,
	EECD_DI = 1u << 2,
	EECD_DO = 1u << 3,
	EECD_FWE = 3u << 4,
	EECD_REQ = 1u << 6,
	EECD_GNT = 1u << 7,
	EECD_PRES = 1u << 8,

	EERD_START = 1u << 0,
	EERD_DONE = 1u << 4,

	CTRL_EXT_ASDCHK = 1u << 12,
	CTRL_EXT_EE_RST = 1u << 13,

	MDIC_OP = 3u << 26,
	MDIC_WRITE = 1u << 26,
	MDIC_READ = 2u << 26,
	MDIC_R = 1u << 28,
	MDIC_I = 1u << 29,
	MDIC_E = 1u << 30,

	ICR_TXDW = 1u << 0,
	ICR_TXQE = 1u << 1,
	ICR_LSC = 1u << 2,
	ICR_RXDMT0 = 1u << 4,
	ICR_RXO = 1u << 6,
	ICR_RXT0 = 1u << 7,
	ICR_MDAC = 1u << 9,
	ICR_TXD_LOW = 1u << 15,
	ICR_SRPD = 1u << 16,
	ICR_ALL = 0x0001fedf,

	RCTL_EN = 1u << 1,
	RCTL_SBP = 1u << 2,
	RCTL_UPE = 1u << 3,
	RCTL_MPE = 1u << 4,
	RCTL_LPE = 1u << 5,
	RCTL_LBM = 3u << 6,
	RCTL_RDMTS_AT = 8,
	RCTL_MO_AT = 12,
	RCTL_BAM = 1u << 15,
	RCTL_BSIZE_AT = 16,
	RCTL_VFE = 1u << 18,
	RCTL_CFIEN = 1u << 19,
	RCTL_CFI = 1u << 20,
	RCTL_DPF = 1u << 22,
	RCTL_PMCF = 1u << 23,
	RCTL_BSEX = 1u << 25,
	RCTL_SECRC = 1u << 26,

	RXCSUM_PCSS = 0xff,
	RXCSUM_IPOFL = 1u << 8,
	RXCSUM_TUOFL = 1u << 9,
	RXCSUM_IPV6OFL = 1u << 10,

	TCTL_EN = 1u << 1,
	TCTL_PSP = 1u << 3,

	RAH_ASEL = 3u << 16,
	RAH_ASEL_SOURCE = 1u << 16,
	RAH_AV = 1u << 31,
};

/* Descriptors are 16 bytes; here is what lies where. */
enum {
	DESC_LEN = 16,

	/* transmit, the second eight bytes: SDM 3.3.3, 3.3.6, 3.3.7 */
	TXD_CMD_AT = 24,
	TXD_EOP = 1u << 24,
	TXD_IFCS = 1u << 25,
	TXD_IC = 1u << 26,  /* legacy */
	TXD_TSE = 1u << 26, /* the others */
	TXD_RS = 1u << 27,
	TXD_DEXT = 1u << 29,
	TXD_VLE = 1u << 30,
	TXD_DTYP = 15u << 20,
	TXD_DTYP_CONTEXT = 0,
	TXD_DTYP_DATA = 1u << 20,
	TXD_STA = 12, /* the byte with DD */
	TXD_DD = 1,
	TUCMD_TCP = 1u << 24,
	TUCMD_IP = 1u << 25, /* version 4 */
	POPTS_IXSM = 1,
	POPTS_TXSM = 2,

	/* receive: SDM 3.2.3 */
	RXD_STATUS = 12,
	RXD_DD = 0x01,
	RXD_EOP = 0x02,
	RXD_IXSM = 0x04,
	RXD_VP = 0x08,
	RXD_TCPCS = 0x20,
	RXD_IPCS = 0x40,
	RXD_PIF = 0x80,
	RXE_CE = 0x01,
	RXE_TCPE = 0x20,
	RXE_IPE = 0x40,
	RXE_RXE = 0x80,
};

/* PHY registers: SDM 13.4.7.1. */
enum {
	PHY_PCTRL = 0,
	PHY_PSTATUS = 1,
	PHY_ID1 = 2,
	PHY_ID2 = 3,
	PHY_ANA = 4,
	PHY_LPA = 5,
	PHY_ANE = 6,
	PHY_NPT = 7,
	PHY_GCON = 9,
	PHY_GSTATUS = 10,
	PHY_ESTATUS = 15,
	PHY_PSCON = 16,
	PHY_PSSTAT = 17,
	PHY_PINTE = 18,
	PHY_PINTS = 19,
	PHY_EPSCON = 20,
	PHY_LED = 24,
	PHY_R30PS = 29,
	PHY_R30AW = 30,
	PHY_REGS = 32,

	PCTRL_RESTART = 0x0200,
	PCTRL_ISOLATE = 0x0400,
	PCTRL_POWER_DOWN = 0x0800,
	PCTRL_AUTONEG = 0x1000,
	PCTRL_LOOPBACK = 0x4000,
	PCTRL_RESET = 0x8000,
	PSTATUS_LINK = 0x0004,
	PSTATUS_DONE = 0x0020,
};

enum {
	E1000_EEPROM_WORDS = 64,
	E1000_PBM_SIZE = 0x10000,
	E1000_FCS_LEN = 4,
	E1000_TX_MAX = 0x10000, /* bytes that wait for their EOP */
	E1000_DESCS = 64,	/* descriptors that one run() handles */
	E1000_RX_QUEUE = 1024,	/* more than fit in PBM */
	E1000_TAG_LEN = 4,
	E1000_FRAME_MIN = 60,	 /* without its check sequence */
	E1000_SIZE_USUAL = 1522, /* with it; longer needs LPE */
};

/* A 93C46, and what its pins have told it: its data sheet. */
struct e1000_microwire {
	uint32_t in;	   /* bits since the start bit, */
	unsigned int n_in; /* how many; 0: no start bit yet */
	uint32_t out;	   /* bits still to come out, the next one highest */
	unsigned int n_out;
	unsigned int next; /* word that follows in a sequential read */
	bool reading, writable, level;
};

/* What a context descriptor set: SDM 3.3.6. */
struct e1000_context {
	uint8_t ipcss, ipcso, tucss, tucso, hdrlen;
	uint16_t ipcse, tucse, mss;
	uint32_t paylen;
	bool tcp, ip4;
};

struct e1000_tx {
	struct e1000_context sum, tso; /* not, and with, segmentation */
	bool busy;		       /* a descriptor is in work: */
	uint64_t desc_at;
	uint8_t desc[DESC_LEN];
	uint64_t from; /* what is left of its buffer */
	uint32_t left;

	uint32_t quota;	   /* descriptors until the next doorbell */
	unsigned int sent; /* frames in this run() */
	uint64_t due_ns;   /* when the wire is free */

	/* The frame that is being gathered. */
	uint32_t size;
	uint32_t frames;  /* of this segmentation so far */
	uint32_t payload; /* its bytes so far */
	uint8_t popts;
	bool tse, tag, ifcs;
	uint16_t special;
	uint8_t header[256];
	uint8_t buf[E1000_TAG_LEN + E1000_TX_MAX + E1000_FRAME_MIN];
};

/* A frame in the receive FIFO. */
struct e1000_packet {
	uint16_t len, csum, special;
	uint8_t status, errors;
};

struct e1000_rx {
	uint32_t size; /* of the FIFO, from the start of PBM */
	uint32_t used;
	unsigned int first, count;
	uint32_t done;	    /* bytes of the first that are in memory, */
	unsigned int descs; /* and descriptors that it took */
	struct e1000_packet queue[E1000_RX_QUEUE];
};

struct e1000 {
	const struct sim_host *host;
	void *ctx;
	struct sim_conf conf;
	struct sim_stats stats;

	bool master; /* PCI command register, bit 2 */
	bool level;  /* the interrupt pin */
	bool link;   /* as STATUS shows it */
	uint32_t ioaddr;
	uint32_t icr, ims;
	uint32_t reg[E1000_REGS_END / 4];

	uint16_t phy[PHY_REGS];
	bool phy_dropped; /* the link was down since PSTATUS was read */
	uint16_t eeprom[E1000_EEPROM_WORDS];
	struct e1000_microwire wire;

	struct e1000_tx tx;
	struct e1000_rx rx;
	uint8_t pbm[E1000_PBM_SIZE];
	uint32_t crc[8][256];
};

extern const struct sim_ops sim_e1000;

/* The gathered bytes; before them is room for a tag. */
static inline uint8_t *e1000_data(struct e1000_tx *tx)
{
	return tx->buf + E1000_TAG_LEN;
}

static inline uint32_t e1000_get(const struct e1000 *e, unsigned int at)
{
	return e->reg[at / 4];
}

static inline void e1000_set(struct e1000 *e, unsigned int at, uint32_t value)
{
	e->reg[at / 4] = value;
}

static inline uint16_t e1000_le16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t e1000_le32(const uint8_t *at)
{
	return e1000_le16(at) | (uint32_t)e1000_le16(at + 2) << 16;
}

static inline uint64_t e1000_le64(const uint8_t *at)
{
	return e1000_le32(at) | (uint64_t)e1000_le32(at + 4) << 32;
}

static inline uint16_t e1000_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void e1000_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* sim_e1000.c */
void e1000_arm(struct e1000 *e);
void e1000_cause(struct e1000 *e, uint32_t causes); /* ICR gets them */
void e1000_irq(struct e1000 *e);		    /* ICR or IMS changed */
void e1000_software_reset(struct e1000 *e);	    /* CTRL.RST */
/* What cannot be read is zeros; what cannot be written is lost. */
void e1000_dma_read(struct e1000 *e, uint64_t from, void *to, size_t len);
void e1000_dma_write(struct e1000 *e, uint64_t to, const void *from,
		     size_t len);
uint32_t e1000_fcs(const struct e1000 *e, const uint8_t *data, size_t len);

/* sim_e1000_regs.c; (off) is a multiple of four, below E1000_MEM_SIZE */
uint32_t e1000_reg_read(struct e1000 *e, unsigned int off);
/* Only the bytes in (lanes), a mask of bits, are written. */
void e1000_reg_write(struct e1000 *e, unsigned int off, uint32_t value,
		     uint32_t lanes);
void e1000_regs_reset(struct e1000 *e, bool power_on);
void e1000_count(struct e1000 *e, unsigned int at);
void e1000_count64(struct e1000 *e, unsigned int at, uint32_t n);
/* One of six bins by the frame's (size), check sequence included. */
void e1000_count_size(struct e1000 *e, unsigned int at, uint32_t size);
/* Descriptors in a ring, at least one: an empty one is stepped on, too. */
uint32_t e1000_ring(const struct e1000 *e, unsigned int len_at);

/* sim_e1000_nvm.c */
void e1000_nvm_fill(struct e1000 *e);
void e1000_nvm_load(struct e1000 *e); /* what the part reads at a reset */
uint32_t e1000_eecd_read(const struct e1000 *e);
void e1000_eecd_write(struct e1000 *e, uint32_t value);
void e1000_eerd_write(struct e1000 *e, uint32_t value);

/* sim_e1000_phy.c */
void e1000_phy_reset(struct e1000 *e);
void e1000_mdic_write(struct e1000 *e, uint32_t value);
void e1000_link(struct e1000 *e); /* what it depends on may have changed */
bool e1000_looped(const struct e1000 *e);

/* sim_e1000_tx.c */
void e1000_doorbell(struct e1000 *e);	  /* TDT or TCTL was written */
uint64_t e1000_transmit(struct e1000 *e); /* when to come again */

/* sim_e1000_offload.c */
uint32_t e1000_sum(uint32_t sum, const uint8_t *data, size_t len);
void e1000_insert(uint8_t *frame, uint32_t len, uint32_t start, uint32_t at,
		  uint32_t end);
void e1000_offload(struct e1000 *e);

/* sim_e1000_rx.c */
void e1000_receive(void *part, const uint8_t *frame, size_t len,
		   unsigned int flags);
void e1000_hear(struct e1000 *e, const uint8_t *frame, size_t len,
		unsigned int flags); /* drain then */
bool e1000_drain(struct e1000 *e);   /* true: there is more to do */

/* sim_e1000_filter.c */
bool e1000_filter(const struct e1000 *e, const uint8_t *frame, size_t len,
		  bool *hashed);
bool e1000_tagged(const struct e1000 *e, const uint8_t *frame, size_t len);
/* Status and errors of (data): checksums that the part looked at. */
void e1000_check(const struct e1000 *e, const uint8_t *data, size_t len,
		 struct e1000_packet *packet);

#endif /* VMM_SIM_E1000_H */
