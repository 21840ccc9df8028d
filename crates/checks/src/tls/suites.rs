//! Cipher suites by IANA number, and what is wrong with them.

/// What ordinary servers of this century take, by which a handshake is known to work at all.
///
/// **Source**: IANA TLS Cipher Suites; the union of the lists "modern", "intermediate" and "old" of
/// Mozilla's Server Side TLS, without what is weak.
pub(super) const ORDINARY: [u16; 22] = [
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xc023, 0xc027, 0xc009, 0xc013, 0xc00a, 0xc014,
    0x0067, 0x006b, 0x0033, 0x0039, 0x009c, 0x009d, 0x002f, 0x0035,
];

/// The suites of TLS 1.3.
///
/// **Source**: RFC 8446, appendix B.4.
pub(super) const OF_TLS_13: [u16; 3] = [0x1301, 0x1302, 0x1303];

/// What the versions before 1.2 were used with, weak ones last.
///
/// **Source**: RFC 4346, appendix A.5; RFC 4492, section 6.
pub(super) const OF_OLD_VERSIONS: [u16; 12] =
    [0xc009, 0xc013, 0xc00a, 0xc014, 0x0033, 0x0039, 0x002f, 0x0035, 0xc012, 0x000a, 0x0005, 0x0004];

/// Suites with one weakness.
pub(super) struct Group {
    /// Its name in an observation.
    pub(super) name: &'static str,
    /// What is wrong, after "it takes".
    pub(super) what: &'static str,
    /// True where there is next to no protection.
    pub(super) broken: bool,
    /// Number and IANA name.
    pub(super) suites: &'static [(u16, &'static str)],
}

/// **Source**: RFC 9325, section 4.1 (NULL, export, less than 112 bits, RC4; 3DES offers less than 128
/// bits); RFC 5246, appendix F.1.1.1 (anonymous); RFC 7465 (RC4); CVE-2016-2183 (3DES).
pub(super) const WEAK: &[Group] = &[
    Group {
        name: "null",
        what: "suites that do not encrypt",
        broken: true,
        suites: &[
            (0x0001, "TLS_RSA_WITH_NULL_MD5"),
            (0x0002, "TLS_RSA_WITH_NULL_SHA"),
            (0x003b, "TLS_RSA_WITH_NULL_SHA256"),
            (0xc006, "TLS_ECDHE_ECDSA_WITH_NULL_SHA"),
            (0xc010, "TLS_ECDHE_RSA_WITH_NULL_SHA"),
        ],
    },
    Group {
        name: "anonymous",
        what: "suites without a certificate",
        broken: true,
        suites: &[
            (0x0018, "TLS_DH_anon_WITH_RC4_128_MD5"),
            (0x001b, "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA"),
            (0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA"),
            (0x003a, "TLS_DH_anon_WITH_AES_256_CBC_SHA"),
            (0x006c, "TLS_DH_anon_WITH_AES_128_CBC_SHA256"),
            (0x006d, "TLS_DH_anon_WITH_AES_256_CBC_SHA256"),
            (0x00a6, "TLS_DH_anon_WITH_AES_128_GCM_SHA256"),
            (0x00a7, "TLS_DH_anon_WITH_AES_256_GCM_SHA384"),
            (0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"),
            (0xc019, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"),
        ],
    },
    Group {
        name: "export",
        what: "export suites of 40 bits",
        broken: true,
        suites: &[
            (0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"),
            (0x0006, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5"),
            (0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"),
            (0x0011, "TLS_DHE_DSS_EXPORT_WITH_DES40_CBC_SHA"),
            (0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"),
        ],
    },
    Group {
        name: "des",
        what: "DES of 56 bits",
        broken: true,
        suites: &[
            (0x0009, "TLS_RSA_WITH_DES_CBC_SHA"),
            (0x0012, "TLS_DHE_DSS_WITH_DES_CBC_SHA"),
            (0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA"),
        ],
    },
    Group {
        name: "rc4",
        what: "RC4",
        broken: false,
        suites: &[
            (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
            (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
            (0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"),
            (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
        ],
    },
    Group {
        name: "3des",
        what: "3DES",
        broken: false,
        suites: &[
            (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
            (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
            (0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"),
            (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
        ],
    },
];
