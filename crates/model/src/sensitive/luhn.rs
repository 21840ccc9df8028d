//! Payment card numbers: Luhn digit, issuer ranges, published test numbers.

/// Whether a text with digits, spaces and hyphens is the number of a card that can exist: an issuer's
/// range with its length, a right check digit, and none of the numbers that processors publish for
/// tests.
///
/// **Source**: ISO/IEC 7812-1, annex B (Luhn); issuer ranges as the networks publish them.
pub(super) fn is_payment_card(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect();
    is_issued(&digits) && has_luhn_digit(&digits) && !is_test_number(&digits) && is_grouped(text)
}

/// Whether the last digit is the check digit of those before it.
pub(super) fn has_luhn_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, digit) {
            (0, digit) => u32::from(digit),
            (_, digit @ 0..5) => u32::from(digit) * 2,
            (_, digit) => u32::from(digit) * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_issued(digits: &[u8]) -> bool {
    if digits.len() < 14 {
        return false;
    }
    let leading = digits[..6].iter().fold(0_u32, |n, d| n * 10 + u32::from(*d));
    match leading {
        // Visa
        400_000..=499_999 => matches!(digits.len(), 16 | 19),
        // Mastercard
        510_000..=559_999 | 222_100..=272_099 => digits.len() == 16,
        // American Express
        340_000..=349_999 | 370_000..=379_999 => digits.len() == 15,
        // Diners Club
        300_000..=305_999 | 360_000..=369_999 | 380_000..=399_999 => digits.len() == 14,
        // Discover
        601_100..=601_199 | 644_000..=659_999 => digits.len() == 16,
        // JCB
        352_800..=358_999 => digits.len() == 16,
        // UnionPay
        620_000..=629_999 => matches!(digits.len(), 16..=19),
        _ => false,
    }
}

/// Groups of separators must be those that people and forms write: none, or one kind between groups.
fn is_grouped(text: &str) -> bool {
    let hyphens = text.contains('-');
    let spaces = text.contains(' ');
    if !hyphens && !spaces {
        return true;
    }
    let separator = if hyphens { '-' } else { ' ' };
    let groups: Vec<usize> = text.split(separator).map(str::len).collect();
    !(hyphens && spaces) && matches!(groups.as_slice(), [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 4, 3])
}

/// **Source**: Stripe "Test card numbers"; PayPal "Test credit card account numbers"; Adyen "Test card
/// numbers"; Braintree "Testing and go live". Numbers with long runs or few digits are caught by shape.
fn is_test_number(digits: &[u8]) -> bool {
    const PUBLISHED: &[&str] = &[
        "4242424242424242",
        "4111111111111111",
        "4012888888881881",
        "4000056655665556",
        "5555555555554444",
        "5200828282828210",
        "5105105105105100",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "378734493671000",
        "6011111111111117",
        "6011000990139424",
        "6011981111111113",
        "3056930009020004",
        "30569309025904",
        "36227206271667",
        "38520000023237",
        "3566002020360505",
        "3530111333300000",
        "6200000000000005",
        "6200000000000047",
        "6205500000000000004",
        "4005519200000004",
        "4009348888881881",
        "4012000033330026",
        "4012000077777777",
        "4217651111111119",
        "4500600000000061",
        "4917610000000000",
        "4988438843884305",
        "5454545454545454",
        "5577000055770004",
        "5136333333333335",
        "5585558555855583",
        "2222400010000008",
        "2222400030000004",
        "2222410700000002",
        "6759649826438453",
        "4444333322221111",
        "5431111111111111",
        "4539578763621486",
        "4716059483617200",
    ];
    let text: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
    let mut seen = [0_usize; 10];
    for digit in digits {
        seen[usize::from(*digit)] += 1;
    }
    let distinct = seen.iter().filter(|n| **n > 0).count();
    let most = seen.iter().max().copied().unwrap_or_default();
    PUBLISHED.contains(&text.as_str())
        || text.starts_with("40000")
        || text.contains("000000")
        || text.contains("123456")
        || distinct <= 3
        || most * 2 > digits.len()
}
