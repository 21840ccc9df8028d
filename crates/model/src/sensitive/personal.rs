//! Numbers of persons and accounts, judged by their own check digits.
//!
//! Every function takes the number as written and ignores spaces, dots, slashes and hyphens.

/// Whether a text is an IBAN: a country that issues them, that country's length, check digits that
/// leave 1 modulo 97, and not an example of the registry.
///
/// **Source**: ISO 13616-1:2020; SWIFT IBAN registry.
pub(super) fn is_iban(text: &str) -> bool {
    let iban = compact(text).to_ascii_uppercase();
    if iban.len() < 15 || !iban.is_ascii() || EXAMPLE_IBANS.contains(&iban.as_str()) {
        return false;
    }
    let expected = IBAN_LENGTHS.split(' ').find_map(|entry| entry.strip_prefix(&iban[..2]));
    if expected.and_then(|length| length.parse().ok()) != Some(iban.len()) {
        return false;
    }
    let rearranged = iban[4..].bytes().chain(iban[..4].bytes());
    let remainder = rearranged.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        b'A'..=b'Z' => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        _ => 0,
    });
    remainder == 1
}

/// Country code and length of its IBANs.
const IBAN_LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 \
    DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 \
    IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 \
    NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 \
    VA22 VG24 XK20";

const EXAMPLE_IBANS: &[&str] = &[
    "AT611904300234573201",
    "BE68539007547034",
    "BE71096123456769",
    "CH9300762011623852957",
    "DE75512108001245126199",
    "DE89370400440532013000",
    "DK5000400440116243",
    "ES9121000418450200051332",
    "FI2112345600000785",
    "FR1420041010050500013M02606",
    "FR7630006000011234567890189",
    "GB29NWBK60161331926819",
    "GB33BUKB20201555555555",
    "GB82WEST12345698765432",
    "IE29AIBK93115212345678",
    "IT60X0542811101000000123456",
    "LU280019400644750000",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "PL61109010140000071219812874",
    "PT50000201231234567890154",
    "SE4550000000058398257466",
];

/// Whether a text is a US social security number that can have been issued.
///
/// **Source**: Social Security Administration, "Social Security Number Randomization" (2011): no area
/// 000, 666 or 900 and above, no group 00, no serial 0000; and its list of numbers used in advertising.
pub(super) fn is_us_ssn(text: &str) -> bool {
    let digits = compact(text);
    let Ok(number) = digits.parse::<u32>() else {
        return false;
    };
    let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000);
    digits.len() == 9
        && !matches!(area, 0 | 666 | 900..)
        && group != 0
        && serial != 0
        && !matches!(number, 78_051_120 | 219_099_999 | 457_555_462 | 123_456_789)
        && !is_one_digit(&digits)
}

/// Whether a text is a Brazilian CPF.
///
/// **Source**: Receita Federal, Cadastro de Pessoas Físicas: two check digits modulo 11.
pub(super) fn is_cpf(text: &str) -> bool {
    let Some(d) = digits::<11>(text) else {
        return false;
    };
    let check = |length: usize| {
        let sum: u32 = (0..length).map(|i| d[i] * (length + 1 - i) as u32).sum();
        match sum * 10 % 11 {
            10 => 0,
            digit => digit,
        }
    };
    check(9) == d[9] && check(10) == d[10] && d.iter().any(|digit| *digit != d[0])
}

/// Whether a text is a Polish PESEL: a date of birth and a check digit.
///
/// **Source**: Ustawa o ewidencji ludności (Dz.U. 2010 nr 217 poz. 1427), article 15.
pub(super) fn is_pesel(text: &str) -> bool {
    const WEIGHTS: [u32; 10] = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];
    let Some(d) = digits::<11>(text) else {
        return false;
    };
    let sum: u32 = WEIGHTS.iter().zip(d).map(|(w, digit)| w * digit).sum();
    let month = (d[2] * 10 + d[3]) % 20;
    let day = d[4] * 10 + d[5];
    (1..=12).contains(&month) && (1..=31).contains(&day) && (10 - sum % 10) % 10 == d[10]
}

/// Whether a text is a Spanish DNI or NIE: its letter is the number modulo 23.
///
/// **Source**: Real Decreto 1553/2005, article 11; Ministerio del Interior, "Cálculo del dígito de
/// control del NIF/NIE".
pub(super) fn is_spanish_dni(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let id = compact(text).to_ascii_uppercase();
    if id.len() != 9 || !id.is_ascii() || id == "12345678Z" || id == "00000000T" {
        return false;
    }
    let (number, letter) = id.split_at(8);
    let number = match number.as_bytes()[0] {
        b'X' => format!("0{}", &number[1..]),
        b'Y' => format!("1{}", &number[1..]),
        b'Z' => format!("2{}", &number[1..]),
        _ => number.to_owned(),
    };
    number.parse::<usize>().is_ok_and(|number| LETTERS[number % 23] == letter.as_bytes()[0])
}

/// Whether a text is a French NIR (social security number) with its key.
///
/// **Source**: INSEE, "Numéro de sécurité sociale": key = 97 − number modulo 97; 2A and 2B count as 19
/// and 18.
pub(super) fn is_french_nir(text: &str) -> bool {
    let nir = compact(text).to_ascii_uppercase();
    if nir.len() != 15 || !nir.is_ascii() || !matches!(nir.as_bytes()[0], b'1' | b'2') {
        return false;
    }
    let (number, key) = nir.split_at(13);
    let number = number.replacen("2A", "19", 1).replacen("2B", "18", 1);
    let month = number[3..5].parse::<u32>();
    match (number.parse::<u64>(), key.parse::<u64>(), month) {
        (Ok(number), Ok(key), Ok(month)) => 97 - number % 97 == key && (matches!(month, 1..=12 | 20..=42 | 50..=99)),
        _ => false,
    }
}

/// Whether a text is an Italian codice fiscale.
///
/// **Source**: Decreto ministeriale 23 dicembre 1976, n. 13813: odd and even places weigh differently,
/// the last letter is the sum modulo 26.
pub(super) fn is_codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let code = compact(text).to_ascii_uppercase();
    let bytes = code.as_bytes();
    if bytes.len() != 16 || code == "RSSMRA85T10A562S" || code == "RSSMRA80A01H501U" {
        return false;
    }
    let letters_and_digits = bytes.iter().enumerate().all(|(place, byte)| match place {
        0..=5 | 8 | 11 | 15 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_alphanumeric(),
    });
    if !letters_and_digits {
        return false;
    }
    let sum: u32 = bytes[..15]
        .iter()
        .enumerate()
        .map(|(place, byte)| {
            let value = match byte {
                b'0'..=b'9' => byte - b'0',
                _ => byte - b'A',
            };
            match place % 2 {
                0 => ODD[usize::from(value)],
                _ => u32::from(value),
            }
        })
        .sum();
    u32::from(bytes[15] - b'A') == sum % 26
}

/// Whether a text is an Indian Aadhaar number.
///
/// **Source**: UIDAI, "A UID Numbering Scheme" (2010): twelve digits, the first not 0 or 1, the last a
/// Verhoeff check digit.
pub(super) fn is_aadhaar(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| d[0] > 1 && has_verhoeff_digit(&d) && d.iter().any(|digit| *digit != d[0]))
}

/// Whether the last digit is the Verhoeff check digit of those before it.
///
/// **Source**: J. Verhoeff, "Error Detecting Decimal Codes" (1969): the dihedral group of order ten.
pub(super) fn has_verhoeff_digit(digits: &[u32]) -> bool {
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let product = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let check = digits.iter().rev().enumerate().fold(0, |check, (place, digit)| {
        let permuted = (0..place % 8).fold(*digit, |n, _| PERMUTATION[n as usize]);
        product(check, permuted)
    });
    check == 0
}

/// Whether a text is a UK National Insurance number that can have been allocated.
///
/// **Source**: HM Revenue & Customs, National Insurance Manual NIM39110.
pub(super) fn is_uk_nino(text: &str) -> bool {
    let nino = compact(text).to_ascii_uppercase();
    let bytes = nino.as_bytes();
    bytes.len() == 9
        && bytes[..2].iter().all(|b| b.is_ascii_uppercase() && !b"DFIQUV".contains(b))
        && bytes[1] != b'O'
        && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&&nino[..2])
        && bytes[2..8].iter().all(u8::is_ascii_digit)
        && (b'A'..=b'D').contains(&bytes[8])
        && !nino[2..8].contains("123456")
        && !is_one_digit(&nino[2..8])
}

fn digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let digits: Option<Vec<u32>> = compact(text).chars().map(|c| c.to_digit(10)).collect();
    digits?.try_into().ok()
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '/')).collect()
}

fn is_one_digit(digits: &str) -> bool {
    digits.bytes().all(|digit| digit == digits.as_bytes()[0])
}
