//! Names of members, compared as words.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::FieldKind;

/// The kind that a member's name promises: that of the longest known term at the end of its words.
pub fn kind_by_name(name: &str) -> Option<FieldKind> {
    if name.len() > 64 {
        return None;
    }
    let words = words(name);
    (0..words.len())
        .map(|first| words[first..].concat())
        .find_map(|ending| TERMS.get(ending.as_str()))
        .filter(|_| !words.iter().any(|word| HARMLESS.contains(&word.as_str())))
        .copied()
}

/// The words of a name in small letters without accents: `apiKey`, `API_KEY` and `api-key` are alike.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let starts_word = character.is_uppercase()
            && (before.is_lowercase()
                || before.is_numeric()
                || (before.is_uppercase() && characters.peek().is_some_and(|next| next.is_lowercase())));
        if (starts_word || !character.is_alphanumeric()) && words.last().is_some_and(|w| !w.is_empty()) {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase().map(without_accent));
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn without_accent(character: char) -> char {
    match character {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'é' | 'è' | 'ê' | 'ë' | 'ę' | 'ě' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ł' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ś' | 'š' => 's',
        'ú' | 'ù' | 'û' | 'ü' | 'ů' => 'u',
        'ý' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

/// Words that turn a sensitive name into a harmless one: paging, forgery protection, publishable keys,
/// descriptions of a field instead of its value.
const HARMLESS: &[&str] = &[
    "next",
    "page",
    "pagination",
    "continuation",
    "cursor",
    "sync",
    "csrf",
    "xsrf",
    "antiforgery",
    "public",
    "publishable",
    "type",
    "expires",
    "expiry",
    "label",
    "hint",
    "policy",
    "regex",
    "pattern",
    "format",
    "masked",
    "count",
    "max",
    "min",
    "length",
    "required",
    "has",
    "url",
    "uri",
    "link",
    "sort",
    "partition",
    "primary",
    "foreign",
    "idempotency",
    "device",
    "verified",
    "support",
    "contact",
];

static TERMS: LazyLock<HashMap<&'static str, FieldKind>> = LazyLock::new(|| {
    TERMS_BY_KIND.iter().flat_map(|(kind, terms)| terms.split_whitespace().map(|term| (term, *kind))).collect()
});

/// Terms without separators, in small letters, without accents.
const TERMS_BY_KIND: &[(FieldKind, &str)] = &[
    (
        FieldKind::Password,
        "password passwd pwd passcode passphrase userpass dbpass passwordplain passwordplaintext \
         plainpassword plaintextpassword passwordraw passwordcleartext passwort kennwort contrasena \
         motdepasse mdp senha wachtwoord losenord haslo heslo parola adgangskode passord salasana sifre",
    ),
    (
        FieldKind::PasswordHash,
        "passwordhash passwdhash pwdhash passhash hashedpassword hashpassword encryptedpassword \
         passworddigest hashpwd pwhash passworthash hashcontrasena hashedpwd bcrypt bcrypthash",
    ),
    (FieldKind::PasswordSalt, "passwordsalt salt pwdsalt hashsalt"),
    (
        FieldKind::ApiKey,
        "apikey apikeys apitoken accesskey accesskeyid secretaccesskey appkey subscriptionkey servicekey \
         masterkey adminkey writekey apischluessel cleapi claveapi chaveapi licensekey livekey stripekey \
         awskey openaikey",
    ),
    (
        FieldKind::Token,
        "token accesstoken refreshtoken authtoken sessiontoken bearertoken idtoken jwt sessionid sessid \
         sessionkey authkey resettoken passwordresettoken verificationtoken confirmationtoken invitetoken \
         invitationtoken magictoken remembertoken rememberme oauthtoken personalaccesstoken logintoken \
         impersonationtoken activationtoken unlocktoken tokensecret jeton",
    ),
    (
        FieldKind::Secret,
        "secret clientsecret appsecret apisecret secretkey sharedsecret signingsecret signingkey \
         webhooksecret jwtsecret hmacsecret hmackey consumersecret encryptionkey cookiesecret \
         sessionsecret geheimnis secreto segredo",
    ),
    (
        FieldKind::SecondFactor,
        "totpsecret totpseed totpkey otpsecret otpseed mfasecret mfaseed twofactorsecret 2fasecret tfasecret \
         twofasecret authenticatorsecret googleauthsecret recoverycodes backupcodes recoverycode backupcode",
    ),
    (
        FieldKind::SecurityAnswer,
        "securityanswer secretanswer recoveryanswer otp otpcode pin pincode verificationcode resetcode \
         smscode mfacode onetimecode onetimepassword",
    ),
    (
        FieldKind::PrivateKey,
        "privatekey privkey privatekeypem privatepem sshkey sshprivatekey rsaprivatekey privaterkey",
    ),
    (
        FieldKind::PaymentCard,
        "cardnumber creditcard creditcardnumber ccnumber ccnum cardno pan debitcard card primaryaccountnumber \
         kreditkarte kreditkartennummer numerocarte tarjeta numerotarjeta numerodetarjeta cartao numerocartao",
    ),
    (FieldKind::CardVerification, "cvv cvv2 cvc cvc2 cid cardcode securitycode cardcvv cardcvc cvvcode"),
    (FieldKind::BankAccount, "iban bankaccount bankaccountnumber accountnumber accountno kontonummer numerodecuenta"),
    (
        FieldKind::NationalId,
        "ssn socialsecuritynumber socialsecurity nationalid nationalidnumber nationalinsurancenumber nino \
         taxid taxpayerid tin cpf pesel dni nie nif nir numerosecuritesociale codicefiscale aadhaar \
         aadhaarnumber personnummer identitynumber idnumber steuerid",
    ),
    (
        FieldKind::InternalNote,
        "internalnote internalnotes internalcomment internalcomments internalremark internalremarks adminnote \
         adminnotes admincomment admincomments staffnote staffnotes staffcomment privatenote privatenotes \
         moderatornote moderatornotes agentnotes internenotiz notainterna noteinterne",
    ),
    (
        FieldKind::RoleFlag,
        "isadmin admin isstaff isstaffmember issuperuser superuser superadmin issuperadmin isadministrator \
         isroot isowner ismoderator isemployee role roles userrole userroles permissions permission \
         privileges privilege accesslevel privilegelevel usertype authorities grants isinternal",
    ),
    (FieldKind::Email, "email emailaddress mail mailaddress useremail correo correoelectronico courriel emailadresse"),
    (
        FieldKind::Phone,
        "phone phonenumber mobile mobilenumber mobilephone cellphone telephone tel telefon telefonnummer \
         telefono telephonenumber msisdn celular handynummer",
    ),
    (
        FieldKind::BirthDate,
        "birthdate dateofbirth dob birthday geburtsdatum fechanacimiento fechadenacimiento datedenaissance \
         datanascimento dataurodzenia borndate",
    ),
    (
        FieldKind::Address,
        "address homeaddress streetaddress street addressline addressline1 address1 postaladdress \
         billingaddress shippingaddress mailingaddress residentialaddress strasse anschrift direccion \
         domicilio adresse endereco",
    ),
    (FieldKind::Income, "salary annualsalary basesalary income annualincome networth gehalt salario salaire"),
];
