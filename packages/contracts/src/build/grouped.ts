/** 1234567 as 1,234,567. The result does not depend on the machine's locale. */
export const grouped = (value: number | bigint): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')
