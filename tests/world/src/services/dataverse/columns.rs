//! Which columns do Dataverse's tables have? Recorded from a real organization (contracts/powerplatform), but for teams.

/// systemuser (contracts/powerplatform/systemusers.json).
#[rustfmt::skip]
pub const SYSTEMUSER: &[&str] = &[
    "ownerid", "address1_postofficebox", "yomimiddlename", "mobilealertemail", "address1_composite", "userpuid", "accessmode",
    "azurestate", "internalemailaddress", "address1_addressid", "middlename", "entityimage", "_mobileofflineprofileid_value",
    "photourl", "organizationid", "homephone", "address1_upszone", "entityimage_url", "_createdby_value",
    "azureactivedirectoryobjectid", "yammeremailaddress", "address1_shippingmethodcode", "caltype", "governmentid",
    "address2_upszone", "yomifullname", "_modifiedby_value", "applicationiduri", "nickname", "incomingemaildeliverymethod",
    "displayinserviceviews", "firstname", "personalemailaddress", "setupuser", "address1_addresstypecode", "salutation",
    "address2_city", "address2_longitude", "address1_line2", "address2_addresstypecode", "sharepointemailaddress", "stageid",
    "azuredeletedon", "preferredphonecode", "address2_utcoffset", "isdisabled", "_modifiedonbehalfby_value", "mobilephone",
    "entityimageid", "address1_name", "address2_shippingmethodcode", "fullname", "processid", "address2_stateorprovince",
    "yomifirstname", "importsequencenumber", "_positionid_value", "_calendarid_value", "invitestatuscode", "address2_line3",
    "modifiedon", "address1_stateorprovince", "address1_telephone3", "defaultodbfoldername", "address1_telephone2",
    "address1_telephone1", "utcconversiontimezonecode", "identityid", "isemailaddressapprovedbyo365admin", "lastname",
    "address2_latitude", "address1_county", "issyncwithdirectory", "address1_city", "address2_postofficebox", "address1_fax",
    "traversedpath", "_createdonbehalfby_value", "userlicensetype", "address2_line1", "islicensed", "_territoryid_value",
    "passportlo", "address1_utcoffset", "_parentsystemuserid_value", "address1_line3", "_queueid_value", "_businessunitid_value",
    "yammeruserid", "address1_postalcode", "address1_country", "deletedstate", "skills", "applicationid", "address2_county",
    "address2_postalcode", "exchangerate", "passporthi", "address1_line1", "yomilastname", "address2_country", "address2_name",
    "defaultfilterspopulated", "_defaultmailbox_value", "systemuserid", "timezoneruleversionnumber", "windowsliveid",
    "overriddencreatedon", "address2_fax", "employeeid", "_transactioncurrencyid_value", "address2_addressid",
    "emailrouteraccessapproval", "preferredaddresscode", "address2_composite", "preferredemailcode", "domainname", "title",
    "address2_telephone3", "address2_telephone2", "address2_telephone1", "address1_latitude", "jobtitle", "isintegrationuser",
    "address1_longitude", "createdon", "outgoingemaildeliverymethod", "address2_line2", "entityimage_timestamp", "disabledreason",
    "versionnumber",
];

/// role (contracts/powerplatform/security-roles.json).
#[rustfmt::skip]
pub const ROLE: &[&str] = &[
    "overwritetime", "organizationid", "isinherited", "solutionid", "roleidunique", "ismanaged", "roleid", "componentstate",
    "modifiedon", "_modifiedby_value", "_parentrootroleid_value", "createdon", "versionnumber", "_businessunitid_value", "name",
    "_createdby_value", "_parentroleid_value", "overriddencreatedon", "importsequencenumber", "_modifiedonbehalfby_value",
    "_roletemplateid_value", "_createdonbehalfby_value", "iscustomizable", "canbedeleted",
];

/// team: no recorded body; the columns that matter here, by name from the table reference [M].
#[rustfmt::skip]
pub const TEAM: &[&str] = &[
    "teamid", "name", "teamtype", "isdefault", "azureactivedirectoryobjectid", "membershiptype", "organizationid", "description",
    "createdon", "modifiedon", "versionnumber", "_businessunitid_value", "_administratorid_value",
];

/// applicationuser (contracts/powerplatform/applicationusers.json), with its own id [M].
pub const APPLICATION_USER: &[&str] =
    &["applicationuserid", "applicationid", "azureactivedirectoryobjectid", "userpuid"];

/// privilege: no recorded body; by name from the table reference [M].
pub const PRIVILEGE: &[&str] =
    &["privilegeid", "name", "canbebasic", "canbelocal", "canbedeep", "canbeglobal", "accessright", "versionnumber"];

/// businessunit: no recorded body; the columns that matter here [M].
pub const BUSINESS_UNIT: &[&str] = &[
    "businessunitid",
    "name",
    "isdisabled",
    "organizationid",
    "createdon",
    "modifiedon",
    "_parentbusinessunitid_value",
];

/// Columns that hold GUIDs: a filter compares them unquoted (microsoft.md §3.2).
pub fn is_guid(column: &str) -> bool {
    matches!(
        column,
        "systemuserid"
            | "azureactivedirectoryobjectid"
            | "applicationid"
            | "organizationid"
            | "ownerid"
            | "roleid"
            | "teamid"
            | "solutionid"
            | "privilegeid"
            | "businessunitid"
            | "applicationuserid"
            | "roleidunique"
    ) || (column.starts_with('_') && column.ends_with("_value"))
}
